import { StilewardError } from '../../gate-agent/core/errors.ts';
import { problemOf } from '../../sync/protocol/problem.ts';
import { Refusal } from '../../sync/server/http/refusal.ts';
import { enrollHub } from '../../sync/server/hub/enrollment.ts';
import { hostsOf } from '../../sync/server/listening.ts';
import { jsonLine, type Terminal } from './output.ts';

/** The options of `server enroll`. */
export interface HubEnrollOptions {
	readonly data: string;
	readonly upstream: string;
	readonly fingerprint: string;
	readonly code: string;
	readonly host?: readonly string[];
	readonly again?: true;
	readonly json?: true;
}

/** Makes a folder the hub of a venue. */
export async function enrollServer(options: HubEnrollOptions, terminal: Terminal): Promise<void> {
	const { data, upstream, fingerprint, code, host = [], again = false, json } = options;
	const hosts = hostsOf({ host: '0.0.0.0', names: host });
	const where = { dir: data, upstream: upstream.replace(/\/$/, ''), fingerprint, code: code.trim().toUpperCase() };
	const { venue, server } = await refusalsAsErrors(() => enrollHub({ ...where, hosts, again, nowMs: terminal.nowMs }));
	if (json) return terminal.out.write(jsonLine({ data, venue, server, upstream, fingerprint }));
	await terminal.out.write(`${data} is the hub ${server} of ${venue} now\n`);
	const next = `server run --role hub --data ${data} --listen 0.0.0.0:8443`;
	await terminal.err.write(
		`start it with \`stileward ${next}\`; at the centre, \`authority set --server ${server}\` lets it grant\n`,
	);
}

async function refusalsAsErrors<T>(work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (error) {
		if (!(error instanceof Refusal)) throw error;
		const { title, detail, hint } = problemOf(error.code, error.more);
		throw new StilewardError('server_refused', [title, detail, hint].filter(Boolean).join(' '));
	}
}
