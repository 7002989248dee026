import { join } from 'node:path';
import pino from 'pino';
import { loadConfig } from '../../gate-agent/config.ts';
import { issueTicket } from '../../gate-agent/core/issue.ts';
import type { Learned } from '../../gate-agent/core/ledger.ts';
import { enrollGate } from '../../gate-agent/enroll-gate.ts';
import { readEnrollment } from '../../gate-agent/enrollment.ts';
import { loadIssuer } from '../../gate-agent/keys/key-folder.ts';
import { openVenueLink, type VenueLink } from '../../gate-agent/venue-link.ts';
import { type BenchLane, createBenchClock, openBenchLedger, startBenchLane } from './bench-lane.ts';
import type { ServerProcess } from './server-process.ts';
import { event, gateFile } from './venue.ts';
import { watchedLedger } from './watched-ledger.ts';

/** A gate that has joined its venue: a real lane, ledger and sync, against a server process. */
export interface JoinedGate {
	readonly lane: BenchLane;
	readonly link: VenueLink;
	readonly claimBudgetMs: number;
	close(): Promise<void>;
}

/** Where a gate joins. */
export interface JoinOptions {
	readonly name: string;
	/** Folder of its data. */
	readonly data: string;
	/** Told of what the feed has brought, once it is durable. */
	readonly onLearned?: (changes: readonly Learned[]) => void;
}

const version = '0.0.0-bench';
const silent = pino({ level: 'silent' });
const firstTryMs = 10_000;

/** Enrolls a gate and starts it. */
export async function joinGate(server: ServerProcess, { name, data, onLearned }: JoinOptions): Promise<JoinedGate> {
	const config = loadConfig({ file: gateFile, sets: [`data=${data}`] });
	const { code } = await server.office('POST', '/codes', { name });
	const { url, fingerprint } = server;
	await enrollGate({ url, fingerprint, code: String(code), dir: data, name, version, replace: false, log: silent });
	const gate = await readEnrollment(data);
	if (!gate) throw new Error('assertion failed: the gate is enrolled');
	const told = { rows: () => {} };
	const ledger = await openBenchLedger(config, () => told.rows());
	const clock = createBenchClock();
	const { claimBudgetMs } = config;
	const link = await openVenueLink({
		...{ gate, clock, log: silent, agent: config.agent, version, claimBudgetMs, random: Math.random },
		ledger: onLearned === undefined ? ledger : watchedLedger(ledger, onLearned),
		lanes: () => new Map(),
		onCommand: () => {},
	});
	told.rows = () => link.rowsWritten();
	await link.firstTry(firstTryMs);
	const lane = startBenchLane({ config, rules: { ...link, keyset: link.keys.keyset }, ledger, clock });
	return {
		...{ lane, link, claimBudgetMs },
		close: async () => {
			lane.stop();
			await link.close();
			await ledger.close();
		},
	};
}

/** Signs tickets of the event with the server's own keys, from ticket 0 on. */
export async function ticketsOf(serverDir: string, count: number): Promise<string[]> {
	const issuer = await loadIssuer(join(serverDir, 'keys'));
	const nowS = Math.floor(Date.now() / 1000);
	const tickets: string[] = [];
	for (let idx = 0; idx < count; idx += 1) {
		const claims = { evt: event.evt, idx, cls: 'adult', nbf: nowS - 86_400, exp: nowS + 86_400 };
		tickets.push(await issueTicket(claims, issuer.keyFor(event.evt, idx), 'compact'));
	}
	return tickets;
}
