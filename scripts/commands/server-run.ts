import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { onlyPublic } from '../../gate-agent/core/jwk.ts';
import { rememberIssued } from '../../gate-agent/keys/issued-numbers.ts';
import { keyFiles, readKeyFile, readKeyJson } from '../../gate-agent/keys/key-files.ts';
import { initKeys, loadIssuer } from '../../gate-agent/keys/key-folder.ts';
import { createLogger } from '../../gate-agent/logger.ts';
import type { Issuer } from '../../sync/server/issuing.ts';
import { type ServerOptions, startServer } from '../../sync/server/start.ts';
import type { Terminal } from './output.ts';

/** The options of `server run`. */
export interface RunOptions {
	readonly data: string;
	readonly listen: string;
	readonly role: 'centre' | 'hub';
	readonly venue: string;
	readonly store?: string;
	readonly upstream?: string;
	readonly host?: readonly string[];
	readonly certificate?: string;
	readonly certificateKey?: string;
}

/** Runs a server until SIGTERM or SIGINT; what it has taken by then is answered. */
export async function runServer(options: RunOptions, terminal: Terminal): Promise<void> {
	const { host, port } = checkOptions(options);
	const own = await ownCertificate(options);
	const log = createLogger({ level: 'info' });
	const server = await startServer({
		dir: options.data,
		venue: options.venue,
		host,
		port,
		names: options.host ?? [],
		issuer: await openIssuer(join(options.data, 'keys'), terminal),
		log,
		nowMs: terminal.nowMs,
		...(options.store !== undefined && { store: options.store }),
		...(own && { ownCertificate: own }),
	});
	const { url, fingerprint } = server;
	log.info({ event: 'ready', url, fingerprint, venue: options.venue, role: options.role });
	const ended = new AbortController();
	const { signal } = ended;
	await Promise.race([once(process, 'SIGTERM', { signal }), once(process, 'SIGINT', { signal })]);
	log.info({ event: 'stopping' });
	await server.close();
	log.info({ event: 'stopped' });
}

function checkOptions({ role, upstream, venue, listen }: RunOptions): { host: string; port: number } {
	if (role === 'hub' || upstream !== undefined) {
		throw usage('this version has no hub: run one server with --role centre, reached by every gate');
	}
	if (!/^[a-z0-9-]{1,32}$/.test(venue)) throw usage('--venue is 1 to 32 characters of a-z, 0-9 and -');
	const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(listen);
	const host = match?.[1] ?? match?.[2];
	const port = Number(match?.[3]);
	if (host === undefined || port > 65_535) throw usage('--listen reads HOST:PORT, e.g. 127.0.0.1:8443 or [::]:8443');
	return { host, port };
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
async function openIssuer(dir: string, { nowMs }: Terminal): Promise<Issuer> {
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
