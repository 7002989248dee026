import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { nodeClock } from '../../node/node-clock.ts';
import { assembleDeviceParts } from '../assemble-server.ts';
import { type App, createApp } from '../http/app.ts';
import { addHubRefusals } from '../http/hub-refusals.ts';
import { type Address, drain, hostsOf, listen, originsOf } from '../listening.ts';
import { openReleases } from '../releases/release-folder.ts';
import { openServerKeys } from '../server-keys.ts';
import type { DeviceParts } from '../server-parts.ts';
import type { RunningServer } from '../start.ts';
import { type DataOptions, storePlaceOf } from '../store-place.ts';
import { openSqliteStore } from '../stores/sqlite.ts';
import type { KeyAndCertificate } from '../tls/certificates.ts';
import { openWeb, type WebOptions } from '../web.ts';
import { type Centre, openCentre } from './centre.ts';
import { type HubEnrollment, readEnrollment } from './enrollment.ts';
import { addHubMetrics } from './hub-metrics.ts';
import { openHubTls } from './hub-tls.ts';
import { hubDeviceAnswers } from './relays.ts';
import { createHubSync } from './sync-steps.ts';
import { createUpstream, type Upstream } from './upstream.ts';

/** How often the certificate is looked at. */
const renewalMs = 3_600_000;

/** What a hub needs to start. */
export interface HubOptions extends DataOptions, Address, WebOptions {
	/** The address of the centre, where it has moved since the hub was enrolled. */
	readonly upstream?: string;
	readonly ownCertificate?: KeyAndCertificate;
	readonly log: Logger;
	readonly nowMs: () => number;
	/** Uniform in [0, 1). */
	readonly random: () => number;
}

/** A hub that listens. */
export interface RunningHub extends RunningServer {
	readonly venue: string;
	readonly server: string;
}

/**
 * Starts a hub. It begins without its centre where it has begun once; the first start waits for nothing either, and its
 * devices hear `no_authority` until the centre was reached. Rejects with `hub_not_enrolled`, `address_unavailable`,
 * `server_data_invalid`, `output_failed`, `store_newer` or `store_failed`.
 */
export async function startHub(options: HubOptions): Promise<RunningHub> {
	const enrollment = await enrollmentOf(options);
	const { venue, server, fingerprint } = enrollment;
	const { log, nowMs } = options;
	const place = storePlaceOf(options);
	if (place.kind !== 'sqlite') throw new StilewardError('usage', 'a hub keeps its data in SQLite');
	let origins: readonly string[] = [];
	const centre = openCentre(enrollment, nowMs, () => origins);
	const tls = await openTls(options, enrollment, centre);
	const store = await openSqliteStore(place.path);
	const keys = await openServerKeys(options.dir);
	const web = await openWeb(options, [enrollment.upstream]);
	const releases = openReleases(options.dir, enrollment.rootKey);
	const basis = { venue, server, fingerprint, store, keys, log, nowMs, releases, ...web };
	const parts = assembleDeviceParts(basis, () => store.manifest(venue));
	const upstream = upstreamOf(options, { parts, enrollment, centre });
	addHubMetrics(parts, upstream);
	const app = await createApp(parts, tls, {
		answers: (authority) => hubDeviceAnswers({ parts, enrollment, centre, upstream }, authority),
		addRoutes: (each) => addHubRefusals(each, enrollment.upstream),
	});
	const ended = new AbortController();
	const running = upstream.run(ended.signal);
	const unwatch = parts.feed.watch(venue, () => upstream.wake());
	const renewal = setInterval(() => void renew(app, options, { enrollment, centre }), renewalMs);
	renewal.unref();
	let closing: Promise<void> | undefined;
	const close = () => {
		closing ??= (async () => {
			clearInterval(renewal);
			unwatch();
			ended.abort();
			await drain(app, parts);
			await running;
			centre.close();
			await store.close();
		})();
		return closing;
	};
	try {
		const url = await listen(app, options);
		origins = originsOf(url, options);
		return { url, fingerprint, venue, server, close };
	} catch (error) {
		await close();
		throw error;
	}
}

async function enrollmentOf({ dir, upstream }: HubOptions): Promise<HubEnrollment> {
	const enrollment = await readEnrollment(dir);
	if (enrollment === undefined) throw new StilewardError('hub_not_enrolled', `${dir} has no hub`);
	return upstream === undefined ? enrollment : { ...enrollment, upstream };
}

interface HubParts {
	readonly parts: DeviceParts;
	readonly enrollment: HubEnrollment;
	readonly centre: Centre;
}

function upstreamOf({ log, nowMs, random }: HubOptions, { parts, enrollment, centre }: HubParts): Upstream {
	const { store, venue, server, feed } = parts;
	const sync = createHubSync({
		store,
		venue,
		self: server,
		centreId: enrollment.centre,
		centre,
		newId: () => randomBytes(16).toString('base64url'),
		log,
		nowMs,
		wake: () => feed.wake(venue),
	});
	return createUpstream({ sync, clock: nodeClock, random, log });
}

function openTls(options: HubOptions, { fingerprint }: HubEnrollment, centre: Centre) {
	const { dir, ownCertificate, log, nowMs } = options;
	return openHubTls({
		dir: join(dir, 'tls'),
		hosts: hostsOf(options),
		fingerprint,
		nowMs: nowMs(),
		...(ownCertificate && { own: ownCertificate }),
		certify: async (certificateRequest) => (await centre.call('certificate', { certificateRequest })).certificate,
		onNotRenewed: (error) => log.warn({ event: 'certificate_not_renewed', err: error }),
	});
}

async function renew(app: App, options: HubOptions, hub: Omit<HubParts, 'parts'>): Promise<void> {
	try {
		const { key, cert, untilMs } = await openTls(options, hub.enrollment, hub.centre);
		app.server.setSecureContext({ key, cert, minVersion: 'TLSv1.2' });
		if (untilMs < options.nowMs()) options.log.error({ event: 'certificate_expired' });
	} catch (error) {
		options.log.error({ event: 'certificate_not_renewed', err: error });
	}
}
