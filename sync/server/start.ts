import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { assembleServer } from './assemble-server.ts';
import { makePrivateFolder, publicMode, readIfThere, writeDurably } from './durable-file.ts';
import { type App, createApp } from './http/app.ts';
import type { Issuer } from './issuing.ts';
import { openPostgresOffice, openSqliteOffice } from './office/kysely-office.ts';
import type { Office } from './office/office.ts';
import { openServerKeys } from './server-keys.ts';
import type { ServerParts } from './server-parts.ts';
import type { Store } from './store.ts';
import { type DataOptions, officeFileOf, storePlaceOf } from './store-place.ts';
import { openPostgresStore } from './stores/postgres.ts';
import { openSqliteStore } from './stores/sqlite.ts';
import { openServerTls, type ServerTls } from './tls/venue-tls.ts';

/** How often the certificate is looked at. */
const renewalMs = 3_600_000;

/** How long answers may take to end when the server stops, and how often idle connections are looked for. */
const drainMs = 10_000;
const drainLookMs = 50;

/** The id of the server that issues tickets and owns the rules. */
export const centreId = 'centre';

/** What a server needs to start. */
export interface ServerOptions extends DataOptions {
	readonly venue: string;
	readonly host: string;
	/** 0 takes a free one. */
	readonly port: number;
	/** Further names that clients reach it by. */
	readonly names: readonly string[];
	/** A certificate of the operator's own. */
	readonly ownCertificate?: { readonly key: string; readonly certificate: string };
	readonly issuer: Issuer;
	readonly log: Logger;
	readonly nowMs: () => number;
}

/** A server that listens. */
export interface RunningServer {
	readonly url: string;
	/** What devices pin. */
	readonly fingerprint: string;
	/** Takes nothing new, answers what it has taken, then closes its store. May be called twice. */
	close(): Promise<void>;
}

/**
 * Starts the server of a venue. Rejects with `address_unavailable`, `server_data_invalid`, `output_failed`,
 * `store_newer` or `store_failed`.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
	await makePrivateFolder(options.dir);
	const tls = await openTls(options);
	const store = await openStore(options);
	const office = await openOffice(options);
	const keys = await openServerKeys(options.dir);
	const { venue, issuer, log, nowMs } = options;
	const { fingerprint } = tls;
	const parts = assembleServer({ venue, server: centreId, fingerprint, store, office, issuer, keys, log, nowMs });
	await openVenue(parts, options);
	const app = await createApp(parts, tls);
	const renewal = setInterval(() => void renew(app, options), renewalMs);
	renewal.unref();
	let closing: Promise<void> | undefined;
	const close = () => {
		clearInterval(renewal);
		closing ??= drain(app, parts);
		return closing;
	};
	try {
		await app.listen({ host: options.host, port: options.port });
	} catch (cause) {
		await close();
		throw new StilewardError('address_unavailable', `Cannot listen on ${options.host}:${options.port}`, { cause });
	}
	return { url: urlOf(app, options.host), fingerprint: tls.fingerprint, close };
}

/** Opens what a server knows of its operators, also beside a server that runs. */
export async function openOffice(options: DataOptions): Promise<Office> {
	await makePrivateFolder(options.dir);
	const place = storePlaceOf(options);
	return place.kind === 'postgres' ? openPostgresOffice(place.url) : openSqliteOffice(officeFileOf(options));
}

/** Opens what a server knows of its venue, also beside a server that runs. */
export async function openStore(options: DataOptions): Promise<Store> {
	const place = storePlaceOf(options);
	return place.kind === 'postgres' ? openPostgresStore(place.url) : openSqliteStore(place.path);
}

/** Makes the venue at the first start, and tells devices of a key manifest that they may not have. */
async function openVenue({ store, venue, issuer, log, nowMs }: ServerParts, { dir }: DataOptions): Promise<void> {
	const head = await store.head(venue);
	const isNew = head === undefined;
	// To put a backup back is the word of an operator; what devices saw of the time since then must not be met again.
	if (head?.behind === 'restored') {
		const epoch = await store.beginEpoch({ venue, server: head.authority, atMs: nowMs() });
		log.warn({ event: 'epoch_begun', why: 'restored', epoch });
	}
	if (isNew) await store.createVenue({ id: venue, name: venue, server: centreId, atMs: nowMs() });
	const path = join(dir, `manifest-announced-${venue}`);
	const hash = createHash('sha256').update(issuer.manifest).digest('base64url');
	if (!isNew && (await readIfThere(path)) === hash) return;
	await store.appendControl(venue, [{ kind: 'keys', manifest: issuer.manifest }], nowMs());
	await writeDurably(path, hash, publicMode);
}

function openTls(options: ServerOptions): Promise<ServerTls> {
	return openServerTls({
		dir: join(options.dir, 'tls'),
		hosts: hostsOf(options),
		nowMs: options.nowMs(),
		...(options.ownCertificate && { own: options.ownCertificate }),
	});
}

/** Names and addresses of this machine, so that a certificate fits however the server is reached. */
function hostsOf({ host, names }: ServerOptions): readonly string[] {
	const isAny = host === '0.0.0.0' || host === '::';
	const addresses = isAny
		? Object.values(networkInterfaces()).flatMap((each) => (each ?? []).filter(({ scopeid }) => !scopeid))
		: [];
	const own = ['localhost', '127.0.0.1', '::1', hostname().toLowerCase(), ...(isAny ? [] : [host])];
	return [...new Set([...own, ...names, ...addresses.map(({ address }) => address)])];
}

async function renew(app: App, options: ServerOptions): Promise<void> {
	try {
		const { key, cert, untilMs } = await openTls(options);
		app.server.setSecureContext({ key, cert, minVersion: 'TLSv1.2' });
		if (untilMs < options.nowMs()) options.log.error({ event: 'certificate_expired' });
	} catch (error) {
		options.log.error({ event: 'certificate_not_renewed', err: error });
	}
}

/** Streams end first: a server whose streams go on would wait for them for ever. */
async function drain(app: App, { feed, segments, store, office }: ServerParts): Promise<void> {
	feed.close();
	// A connection that was busy when the server stopped listening is idle once it is answered.
	const idle = setInterval(() => app.server.closeIdleConnections(), drainLookMs);
	const cut = setTimeout(() => app.server.closeAllConnections(), drainMs);
	await app.close();
	clearInterval(idle);
	clearTimeout(cut);
	await segments.drain();
	await store.close();
	await office.close();
}

function urlOf(app: App, host: string): string {
	// A TCP server that listens has an address of this form.
	const { port } = app.server.address() as AddressInfo;
	const isAny = host === '0.0.0.0' || host === '::';
	const shown = isAny ? hostname().toLowerCase() : host;
	return `https://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}
