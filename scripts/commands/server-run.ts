import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { JWK } from 'jose';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { onlyPublic } from '../../gate-agent/core/jwk.ts';
import { rememberIssued } from '../../gate-agent/keys/issued-numbers.ts';
import { keyFiles, readKeyFile, readKeyJson } from '../../gate-agent/keys/key-files.ts';
import { initKeys, loadIssuer } from '../../gate-agent/keys/key-folder.ts';
import { createLogger, type Logger } from '../../gate-agent/logger.ts';
import { isJournalStream } from '../../gate-agent/service/journal.ts';
import { connectServiceManager, type ServiceManager } from '../../gate-agent/service/sd-notify.ts';
import { originOf } from '../../sync/server/http/origins.ts';
import { readEnrollment } from '../../sync/server/hub/enrollment.ts';
import { startHub } from '../../sync/server/hub/start-hub.ts';
import type { Issuer } from '../../sync/server/issuing.ts';
import { type ServerOptions, startServer } from '../../sync/server/start.ts';
import type { Terminal } from './output.ts';

/** The options of `server run`. */
export interface RunOptions {
	readonly data: string;
	readonly listen: string;
	readonly role: 'centre' | 'hub';
	readonly venue?: string;
	readonly store?: string;
	readonly upstream?: string;
	readonly host?: readonly string[];
	readonly certificate?: string;
	readonly certificateKey?: string;
	readonly handheld?: string;
	readonly origin?: readonly string[];
}

/** Runs a server until SIGTERM or SIGINT; what it has taken by then is answered. */
export async function runServer(options: RunOptions, terminal: Terminal): Promise<void> {
	const log = createLogger({
		level: 'info',
		isJournal: isJournalStream(process.env.JOURNAL_STREAM, process.stdout.fd),
	});
	const manager = await connectServiceManager(process.env, (error) =>
		log.error({ event: 'service_manager_unreachable', problem: String(error) }),
	);
	const around = { log, nowMs: terminal.nowMs };
	const opened = options.role === 'hub' ? await openHub(options, around) : await openCentre(options, around);
	const { server, ...about } = opened;
	const { url, fingerprint } = server;
	log.info({ event: 'ready', url, fingerprint, ...about, role: options.role });
	manager.ready();
	manager.status(`serves ${about.venue} at ${url} as ${options.role}`);
	const stopBeating = beat(manager);
	const ended = new AbortController();
	const { signal } = ended;
	await Promise.race([once(process, 'SIGTERM', { signal }), once(process, 'SIGINT', { signal })]);
	log.info({ event: 'stopping' });
	manager.stopping();
	stopBeating();
	await server.close();
	log.info({ event: 'stopped' });
}

/** A server lives while its event loop turns: its store and its peers have limits of their own. Gives what stops it. */
function beat({ watchdogMs, alive }: ServiceManager): () => void {
	if (watchdogMs === undefined) return () => undefined;
	alive();
	const timer = setInterval(alive, watchdogMs / 4);
	return () => clearInterval(timer);
}

/** What a server has of this process. */
interface Around {
	readonly log: Logger;
	readonly nowMs: () => number;
}

async function openCentre(options: RunOptions, around: Around) {
	const { data, venue = 'venue', upstream } = options;
	if (upstream !== undefined) throw usage('only a hub has an --upstream: give --role hub with it');
	if (!/^[a-z0-9-]{1,32}$/.test(venue)) throw usage('--venue is 1 to 32 characters of a-z, 0-9 and -');
	if ((await readEnrollment(data)) !== undefined)
		throw usage(`${data} is the folder of a hub: start it with --role hub`);
	const place = await placeOf(options);
	const issuer = await openIssuer(join(data, 'keys'), around);
	return { server: await startServer({ ...place, ...around, venue, issuer }), venue };
}

/** The venue of a hub is that of its centre. */
async function openHub(options: RunOptions, around: Around) {
	const { venue, upstream } = options;
	const place = await placeOf(options);
	const at = upstream === undefined ? {} : { upstream: upstream.replace(/\/$/, '') };
	const server = await startHub({ ...place, ...around, ...at, random: Math.random });
	if (venue === undefined || venue === server.venue) return { server, venue: server.venue, hub: server.server };
	await server.close();
	throw usage(`this is the hub ${server.server} of ${server.venue}, not of ${venue}`);
}

async function placeOf(options: RunOptions) {
	const { data, listen, host: names = [], store } = options;
	const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(listen);
	const host = match?.[1] ?? match?.[2];
	const port = Number(match?.[3]);
	if (host === undefined || port > 65_535) throw usage('--listen reads HOST:PORT, e.g. 127.0.0.1:8443 or [::]:8443');
	const own = await ownCertificate(options);
	const handheld = handheldOf(options);
	const origins = originsOf(options);
	const web = { origins, ...(handheld !== undefined && { handheld }) };
	const optional = { ...web, ...(store !== undefined && { store }), ...(own && { ownCertificate: own }) };
	return { dir: data, host, port, names, ...optional };
}

/** Where `handheld-build.ts` puts the handheld. */
const builtHandheld = fileURLToPath(new URL('../../.build/handheld', import.meta.url));

function handheldOf({ handheld }: RunOptions): string | undefined {
	if (handheld !== undefined) return handheld;
	return existsSync(join(builtHandheld, 'index.html')) ? builtHandheld : undefined;
}

function originsOf({ origin = [] }: RunOptions): readonly string[] {
	const wrong = origin.find((each) => originOf(each) !== each.replace(/\/$/, ''));
	if (wrong !== undefined) throw usage(`--origin ${wrong} is no address such as https://hub.example.org:8443`);
	return origin;
}

async function ownCertificate({
	certificate,
	certificateKey,
}: RunOptions): Promise<ServerOptions['ownCertificate'] | undefined> {
	if (certificate === undefined && certificateKey === undefined) return undefined;
	if (certificate === undefined || certificateKey === undefined) {
		throw usage('--certificate and --certificate-key belong together');
	}
	return { certificate: await readFile(certificate, 'utf8'), key: await readFile(certificateKey, 'utf8') };
}

/** The issuer keys in the server's data, made at its first start. */
export async function openIssuer(dir: string, { nowMs }: Pick<Terminal, 'nowMs'>): Promise<Issuer> {
	if (!existsSync(join(dir, keyFiles.manifest))) await initKeys({ dir, nowMs: nowMs() });
	const { keyFor } = await loadIssuer(dir);
	const manifest = (await readKeyFile(dir, keyFiles.manifest)).trim();
	// `loadIssuer` has verified the manifest with this key.
	const rootKey = onlyPublic((await readKeyJson(dir, keyFiles.rootPublic)) as JWK);
	const remember = async (evt: string, idx: number) => {
		await rememberIssued(dir, { evt, count: 1, firstIdx: idx });
		// Looked at after the number is noted: whoever changed the manifest before that did not see it.
		const newest = (await readKeyFile(dir, keyFiles.manifest)).trim();
		if (newest !== manifest) throw new StilewardError('keys_changed', `the key manifest in ${dir} has changed`);
	};
	return { keyFor, manifest, rootKey, remember };
}

function usage(message: string): StilewardError {
	return new StilewardError('usage', message);
}
