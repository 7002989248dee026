import { setTimeout as sleep } from 'node:timers/promises';
import { Check } from 'typebox/value';
import { onlyPublic } from '../../../gate-agent/core/jwk.ts';
import { isAhead } from '../../protocol/cursor.ts';
import { deviceIdOf } from '../../protocol/enroll.ts';
import { serverId } from '../../protocol/fields.ts';
import type { HubLogAnswer, HubRequestOf, HubResponseOf, HubRouteName } from '../../protocol/hub.ts';
import { openSegment } from '../../protocol/segment-jws.ts';
import type { Hub } from '../replication.ts';
import type { ServerParts } from '../server-parts.ts';
import type { Device, VenueHead, VenueSegment } from '../store.ts';
import type { Authority } from './authority.ts';
import { claims, enrollDevice, hashCode, openClaims } from './device-routes.ts';
import { configFor } from './gate-config-answers.ts';
import { Refusal } from './refusal.ts';
import { answerStaff, staffAnswers } from './staff-answers.ts';

/** What a call of a hub is answered from. */
export interface HubCall<Name extends HubRouteName> {
	readonly input: HubRequestOf<Name>;
	/** The hub that asks; only where the route's `auth` says so. */
	readonly hub: Hub;
	/** The request that asked, as in the log. */
	readonly requestId: string;
}

/** Answers one call. Rejects with a `Refusal`. */
export type HubAnswers = {
	readonly [Name in HubRouteName]: (call: HubCall<Name>) => Promise<HubResponseOf<Name>>;
};

/** The centre's answers to its hubs. */
export function hubAnswers(parts: ServerParts, authority: Authority): HubAnswers {
	const { store, venue } = parts;
	const staff = staffAnswers(parts);
	return {
		join: ({ input }) => join(parts, input),
		certificate: async ({ input: { certificateRequest } }) => {
			const certificate = await parts.certifyHub?.(certificateRequest);
			if (certificate === undefined) throw noCertificate();
			return { certificate };
		},
		report: (call) => report(parts, call),
		follow: (call) => follow(parts, call),
		segments: (call) => segments(parts, call),
		admissions: async ({ input: { epoch, entries }, hub }) => {
			await assertOwn(parts, hub, epoch);
			return logged(parts, hub, await store.storeAdmissions({ venue, epoch, entries }));
		},
		end: async ({ input: { epoch, admissions, claims: open }, hub }) => {
			await assertOwn(parts, hub, epoch);
			const last = admissions === undefined ? {} : { admissions };
			const end = { venue, epoch, server: hub.server, ...last, claims: open, atMs: parts.nowMs() };
			return logged(parts, hub, await store.endEpoch(end));
		},
		begin: async ({ input: { epoch, instance }, hub }) => {
			const { server, device } = hub;
			const open = await store.beginFor({ venue, epoch, server, device, instance });
			if (open === 'refused') throw new Refusal('stale_authority');
			if (open === 'waits') return { kind: 'waits' };
			parts.log.info({ event: 'authority_begun', hub: server, epoch });
			return { kind: 'begun', claims: [...open] };
		},
		claims: async ({ input: { device, ...input } }) =>
			claims(parts, authority, { input, device: await deviceOf(parts, device) }),
		openClaims: async ({ input: { device } }) => openClaims(parts, authority, await deviceOf(parts, device)),
		config: async ({ input: { device, ...asked } }) => configFor(parts, await deviceOf(parts, device), asked),
		staff: async ({ input: { device: id, call, request }, requestId }) => {
			const { device } = await deviceOf(parts, id);
			return answerStaff(staff, { name: call, request, device, requestId });
		},
		enroll: async ({ input }) => {
			const { device, name, jwk, status, enrolledMs } = await enrollDevice(parts, input);
			return { device, name, jwk: onlyPublic(jwk), status, enrolledMs };
		},
	};
}

async function join(parts: ServerParts, input: HubRequestOf<'join'>): Promise<HubResponseOf<'join'>> {
	const { store, venue, fingerprint, issuer, keys, nowMs } = parts;
	const jwk = onlyPublic(input.key);
	const device = await deviceIdOf(jwk);
	if ((await store.device(venue, device)) || (await store.hub(venue, device))) throw new Refusal('key_enrolled');
	// What is wrong with the request is found before the code is spent.
	const certificate = await parts.certifyHub?.(input.certificateRequest);
	const hub = await store.joinHub({ codeHash: hashCode(input.code), jwk, device, atMs: nowMs() });
	if (!hub) throw new Refusal('code_invalid');
	parts.log.info({ event: 'hub_enrolled', hub: hub.server });
	return {
		...{ device, venue, server: hub.server, centre: parts.server, rootKey: issuer.rootKey, caPin: fingerprint },
		...{ timeKeys: [keys.timePublicKey], nowMs: nowMs(), ...(certificate !== undefined && { certificate }) },
	};
}

/** Names that a hub may have. The centre's own is none of them. */
export function isHubName(name: string, centre: string): boolean {
	return Check(serverId, name) && name !== centre;
}

function noCertificate(): Refusal {
	return new Refusal('forbidden', {
		detail: 'this centre shows a certificate of its own; give the hub one that leads to the same pin',
	});
}

async function headOf({ store, venue }: ServerParts): Promise<VenueHead> {
	const head = await store.head(venue);
	if (!head) throw new Refusal('not_found');
	return head;
}

function shownOf({ epoch, control, admissions, authority }: VenueHead) {
	return { epoch, control, admissions, authority };
}

/**
 * What a hub shows is compared both ways: a centre that has less than its hub was restored, and so was a hub that grants
 * and has less than what it has passed on.
 */
async function report(parts: ServerParts, { input, hub }: HubCall<'report'>): Promise<HubResponseOf<'report'>> {
	const { store, venue, log, nowMs } = parts;
	const { devices, contacts, ...own } = input;
	const head = await headOf(parts);
	if (own.head.epoch > head.epoch || own.head.control > head.control) {
		await store.markStale(venue);
		log.error({ event: 'centre_behind', hub: hub.server, shown: own.head, own: shownOf(head) });
		throw new Refusal('stale_authority', { detail: 'the hub has followed more than this centre has' });
	}
	const seen = await store.hubSeen({ venue, device: hub.device, contacts, report: own, atMs: nowMs() });
	const isOver = own.grants && isAhead(head, own.head) && head.epoch === own.head.epoch;
	await Promise.all(devices.map((each) => store.reportDevice({ venue, ...each })));
	const stale = seen === 'stale' || isOver;
	if (stale) log.error({ event: 'hub_stale', hub: hub.server, shown: own.head, own: shownOf(head) });
	return { head: shownOf(head), stale };
}

/** Answers as soon as there is something to say. */
async function follow(parts: ServerParts, { input, hub }: HubCall<'follow'>): Promise<HubResponseOf<'follow'>> {
	const { store, venue, feed } = parts;
	const { waitMs, ...asked } = input;
	let since = asked;
	const ended = AbortSignal.timeout(waitMs);
	let first: string | undefined;
	for (;;) {
		if (feed.closed()) throw new Refusal('overloaded');
		const news = nextNews(feed, venue, ended);
		try {
			const page = await store.followPage(venue, since, hub.server);
			if (page === undefined) throw new Refusal('cursor_gone');
			const epochs = JSON.stringify(page.epochs);
			first ??= epochs;
			const isOver = page.epochs.some((each) => each.epoch === since.epoch && each.ended === since.admissions);
			const hasNext = isOver && page.epochs.length > 1;
			const hasEntries = page.control.length + page.segments.length + page.admissions.length > 0;
			if (hasEntries || hasNext || epochs !== first || ended.aborted)
				return { ...page, head: shownOf(await headOf(parts)) };
			// What the hub has passed on itself is not looked through again at each of its own calls.
			since = { ...since, arrival: page.arrival };
			await news.heard;
			await lookPause(ended);
		} finally {
			news.end();
		}
	}
}

/** What is committed in this time is looked for once. */
const lookPauseMs = 100;

function lookPause(ended: AbortSignal): Promise<void> {
	return sleep(lookPauseMs, undefined, { signal: ended, ref: false }).catch(() => {});
}

/** Something may have been committed since this was called, or the time is over. */
function nextNews(feed: ServerParts['feed'], venue: string, ended: AbortSignal) {
	const heard = new AbortController();
	const leave = feed.watch(venue, () => heard.abort());
	const either = AbortSignal.any([heard.signal, ended]);
	return {
		heard: sleep(60_000, undefined, { signal: either, ref: false }).catch(() => {}),
		end: () => {
			leave();
			heard.abort();
		},
	};
}

/** Takes segments as the devices signed them; the hub vouches for none of their rows. */
async function segments(parts: ServerParts, { input, hub }: HubCall<'segments'>): Promise<HubResponseOf<'segments'>> {
	const { store, venue, log, feed, metrics } = parts;
	const taken: VenueSegment[] = [];
	for (const { device: id, segment } of input.segments) {
		const opened = await openHubSegment(parts, { id, segment, via: hub.server });
		// It would be refused for ever, and everything behind it with it.
		if (opened === undefined) log.error({ event: 'hub_segment_refused', hub: hub.server, device: id });
		else taken.push(opened);
	}
	const outcomes = await store.ingest(taken);
	for (const [at, { kind }] of outcomes.entries()) {
		metrics.rows.inc({ outcome: kind }, taken[at]?.rows.length ?? 0);
		if (kind !== 'accepted')
			log.warn({ event: 'hub_segment', hub: hub.server, device: taken[at]?.device, outcome: kind });
	}
	feed.wake(venue);
	return { taken: taken.length };
}

/** Checks the signature of a segment that another server passes on; undefined where it is none of a device of ours. */
export async function openHubSegment(
	{ store, venue, nowMs }: Pick<ServerParts, 'store' | 'venue' | 'nowMs'>,
	{ id, segment, via }: { readonly id: string; readonly segment: string; readonly via: string },
): Promise<VenueSegment | undefined> {
	const device = await store.device(venue, id);
	if (!device) return undefined;
	const opened = await openSegment(segment, { device: id, key: device.jwk });
	if (opened.kind === 'refused') return undefined;
	const { epoch: deviceEpoch, from, to, prevHash, rows } = opened.segment;
	const place = { venue, device: id, deviceEpoch, from, to, prevHash, lastHash: opened.lastHash };
	return { ...place, rows, jws: segment, atMs: nowMs(), via };
}

async function assertOwn({ store, venue }: ServerParts, { server }: Hub, epoch: number): Promise<void> {
	const epochs = await store.epochs(venue);
	if (epochs.find((each) => each.epoch === epoch)?.server !== server) {
		throw new Refusal('forbidden', { detail: `epoch ${epoch} is not of ${server}` });
	}
}

function logged({ log, feed, venue }: ServerParts, hub: Hub, answer: HubLogAnswer): HubLogAnswer {
	if (answer.kind === 'stored') feed.wake(venue);
	else log.warn({ event: 'hub_log', hub: hub.server, ...answer });
	return answer;
}

async function deviceOf({ store, venue }: ServerParts, id: string): Promise<Device> {
	const device = await store.device(venue, id);
	if (!device) throw new Refusal('device_unknown');
	if (device.status === 'disabled') throw new Refusal('device_disabled');
	return device;
}
