import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { assembleServer } from './assemble-server.ts';
import { makePrivateFolder, publicMode, readIfThere, writeDurably } from './durable-file.ts';
import { type App, centreRole, createApp } from './http/app.ts';
import { Refusal } from './http/refusal.ts';
import type { Issuer } from './issuing.ts';
import { type Address, drain, hostsOf, listen } from './listening.ts';
import { openPostgresOffice, openSqliteOffice } from './office/kysely-office.ts';
import type { Office } from './office/office.ts';
import { openReleases } from './releases/release-folder.ts';
import { openServerKeys } from './server-keys.ts';
import type { ServerParts } from './server-parts.ts';
import type { Store } from './store.ts';
import { type DataOptions, officeFileOf, storePlaceOf } from './store-place.ts';
import { openPostgresStore } from './stores/postgres.ts';
import { openSqliteStore } from './stores/sqlite.ts';
import { readCertificateRequest } from './tls/certificates.ts';
import { certifyHub, openServerTls, type ServerTls } from './tls/venue-tls.ts';
import { openWeb, type WebOptions } from './web.ts';

/** How often the certificate is looked at. */
const renewalMs = 3_600_000;

/** The id of the server that issues tickets and owns the rules. */
export const centreId = 'centre';

/** What a server needs to start. */
export interface ServerOptions extends DataOptions, Address, WebOptions {
	readonly venue: string;
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
	const certifyHub = hubCertifier(options);
	const web = await openWeb(options);
	const releases = openReleases(options.dir, issuer.rootKey);
	const basis = { venue, server: centreId, fingerprint, store, office, issuer, keys, log, nowMs, releases, ...web };
	const parts = assembleServer({ ...basis, ...(certifyHub && { certifyHub }) });
	await openVenue(parts, options);
	const app = await createApp(parts, tls, centreRole(parts));
	const renewal = setInterval(() => void renew(app, options), renewalMs);
	renewal.unref();
	let closing: Promise<void> | undefined;
	const close = () => {
		clearInterval(renewal);
		closing ??= drain(app, parts)
			.then(() => store.close())
			.then(() => office.close());
		return closing;
	};
	try {
		return { url: await listen(app, options), fingerprint: tls.fingerprint, close };
	} catch (error) {
		await close();
		throw error;
	}
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
	// After a restore the key folder may know of fewer numbers than the store.
	for (const { evt, next } of await store.counters(venue)) if (next > 0) await issuer.remember?.(evt, next - 1);
	const path = join(dir, `manifest-announced-${venue}`);
	const hash = createHash('sha256').update(issuer.manifest).digest('base64url');
	if (!isNew && (await readIfThere(path)) === hash) return;
	await store.appendControl(venue, [{ kind: 'keys', manifest: issuer.manifest }], nowMs());
	await writeDurably(path, hash, publicMode);
}

/** Hubs are under the same pin as this server only where the venue's own authority signs both. */
function hubCertifier({ dir, ownCertificate, nowMs }: ServerOptions): ServerParts['certifyHub'] {
	if (ownCertificate) return undefined;
	return async (pem) => {
		const request = await readCertificateRequest(pem);
		if (!request) throw new Refusal('malformed', { detail: 'the certificate request is damaged or names no hosts' });
		return certifyHub(join(dir, 'tls'), { ...request, nowMs: nowMs() });
	};
}

function openTls(options: ServerOptions): Promise<ServerTls> {
	return openServerTls({
		dir: join(options.dir, 'tls'),
		hosts: hostsOf(options),
		nowMs: options.nowMs(),
		...(options.ownCertificate && { own: options.ownCertificate }),
	});
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
