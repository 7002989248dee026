import type { Logger } from 'pino';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { HubFollowPage, HubLogAnswer } from '../../protocol/hub.ts';
import { hubReportsMax } from '../../protocol/hub.ts';
import { openHubSegment } from '../http/hub-answers.ts';
import { Refusal } from '../http/refusal.ts';
import type { Outgoing, PassedOn } from '../replication.ts';
import type { Store, VenueSegment } from '../store.ts';
import type { Centre } from './centre.ts';

/** A claim without a row for this long is shown to the centre: its device may be dead. */
const claimOpenMs = 60_000;

/** Claims that are shown at once. */
const claimsShownMax = 1_000;

/** What the steps between a hub and its centre need. */
export interface HubSyncDeps {
	readonly store: Store;
	readonly venue: string;
	/** The server id of the hub. */
	readonly self: string;
	readonly centreId: string;
	readonly centre: Pick<Centre, 'call' | 'state'>;
	/** 128 random bits, base64url. */
	readonly newId: () => string;
	readonly log: Logger;
	readonly nowMs: () => number;
	/** Told whenever something of the venue was committed. */
	readonly wake: () => void;
}

/** The steps by which a hub and its centre come to have the same. Each does one exchange, or rejects. */
export interface HubSync {
	/** Says how the hub stands, and learns whether it lost something. False where it has nothing yet to lose. */
	report(signal: AbortSignal): Promise<boolean>;
	/** Takes what is new of the centre; waits for it for so long. */
	follow(waitMs: number, signal: AbortSignal): Promise<void>;
	/** Passes on what the centre does not have. True where more waits already. */
	push(signal: AbortSignal): Promise<boolean>;
}

/** Makes the steps of a hub. */
export function createHubSync(deps: HubSyncDeps): HubSync {
	const alone = createLatch();
	const own: OwnMemory = { contact: deps.newId(), reported: new Map(), refused: new Set(), instances: new Map() };
	let next: FollowAgain = 'later';
	return {
		report: (signal) => report(deps, own, signal),
		follow: async (waitMs, signal) => {
			// A hub that an epoch names begins it as soon as nothing more comes and the one before is over.
			const shortMs = { now: 0, soon: endLookMs, later: waitMs, begun: waitMs };
			next = await follow({ ...deps, alone, own }, shortMs[next], signal);
			if (next === 'begun') await report(deps, own, signal);
		},
		push: (signal) => alone(() => push(deps, signal)),
	};
}

/** What a hub remembers as long as its process lives. */
interface OwnMemory {
	/** The contact that is made next; another one once the centre has answered. */
	contact: string;
	/** When the reports of devices were made that the centre has. */
	readonly reported: Map<string, number>;
	/** Epochs that the centre did not let this hub begin. */
	readonly refused: Set<number>;
	/** By which contact an epoch was asked for: again the same where the answer was lost. */
	readonly instances: Map<number, string>;
}

/** How often a hub that is to grant asks whether the epoch before is over. */
const endLookMs = 250;

/** When the centre is asked again. */
type FollowAgain = 'now' | 'soon' | 'later' | 'begun';

/** Runs work of one kind at a time: what is passed on must not change between reading a state and taking it. */
type Latch = <T>(work: () => Promise<T>) => Promise<T>;

function createLatch(): Latch {
	let last: Promise<unknown> = Promise.resolve();
	return (work) => {
		const run = last.then(work, work);
		last = run.catch(() => {});
		return run;
	};
}

async function report(deps: HubSyncDeps, own: OwnMemory, signal: AbortSignal): Promise<boolean> {
	const { store, venue, centre, log } = deps;
	const head = await store.head(venue);
	const contacts = await store.addContact(venue, own.contact);
	if (head === undefined) return false;
	// Read before what waits: of a device with nothing that waits, all that it had brought by then is at the centre.
	const fresh = await freshReports(deps, own.reported);
	const { devices: waitingDevices, ...waiting } = await store.backlog(venue);
	const devices = fresh.filter(({ device }) => !waitingDevices.includes(device)).slice(0, hubReportsMax);
	const { epoch, control, admissions, authority, grants, behind } = head;
	const isGranting = grants && behind === undefined;
	const claims = isGranting ? await oldClaims(deps) : [];
	const shown = { head: { epoch, control, admissions, authority }, grants: isGranting, waiting };
	const answer = await centre.call('report', { ...shown, contacts: [...contacts], devices, claims }, { signal });
	own.contact = deps.newId();
	for (const { device, atMs } of devices) own.reported.set(device, atMs);
	if (!answer.stale) return true;
	await store.markStale(venue);
	log.error({ event: 'authority_stale', own: shown.head, centre: answer.head });
	return true;
}

async function freshReports({ store, venue }: HubSyncDeps, reported: ReadonlyMap<string, number>) {
	const devices = await store.devices(venue);
	return devices.flatMap(({ device, report: last }) => {
		if (last === undefined || last.atMs <= (reported.get(device) ?? 0)) return [];
		const { atMs, ...said } = last;
		return [{ device, report: said, atMs }];
	});
}

async function oldClaims({ store, venue, nowMs }: HubSyncDeps) {
	const open = await store.allOpenClaims(venue);
	return open.filter(({ atMs }) => nowMs() - atMs > claimOpenMs).slice(0, claimsShownMax);
}

interface FollowDeps extends HubSyncDeps {
	readonly alone: Latch;
	readonly own: OwnMemory;
}

async function follow(deps: FollowDeps, waitMs: number, signal: AbortSignal): Promise<FollowAgain> {
	const { store, venue, centre, alone } = deps;
	const since = await store.followed(venue);
	const load = async (): Promise<FollowAgain> => {
		await alone(() => loadState(deps, signal));
		return 'now';
	};
	if (since === undefined) return load();
	const page = await nextPage(centre, { ...since, waitMs }, signal);
	if (page === undefined) {
		// A centre that came back from a backup may lack what this hub has passed on since.
		await store.resendSegments(venue);
		return load();
	}
	await takeSegments(deps, page);
	const { control, devices, admissions, epochs, arrival } = page;
	const standing = await store.storeFollowed({
		venue,
		page: { control, devices, admissions, epochs },
		arrival,
		atMs: deps.nowMs(),
	});
	deps.wake();
	const isWhole = control.length + page.segments.length + admissions.length === 0;
	if (standing.kind === 'state_needed') return load();
	if (standing.kind !== 'named' || deps.own.refused.has(standing.epoch)) return 'later';
	if (!isWhole) return 'now';
	return standing.settled ? begin(deps, standing.epoch, signal) : 'soon';
}

/** Undefined where what the hub has followed is not what stands at the centre. */
async function nextPage(
	centre: HubSyncDeps['centre'],
	since: Parameters<typeof centre.call<'follow'>>[1],
	signal: AbortSignal,
): Promise<HubFollowPage | undefined> {
	try {
		return await centre.call('follow', since, { signal, timeoutMs: since.waitMs + answerMs });
	} catch (error) {
		if (error instanceof Refusal && error.code === 'cursor_gone') return undefined;
		throw error;
	}
}

/** How long an answer may take beyond the time that the centre was asked to wait. */
const answerMs = 30_000;

async function takeSegments(deps: HubSyncDeps, page: HubFollowPage): Promise<void> {
	const { store, log, centreId } = deps;
	// A device may be new with this very page.
	for (const device of page.devices) await store.putDevice(deps.venue, device);
	const taken: VenueSegment[] = [];
	for (const { device: id, segment } of page.segments) {
		const opened = await openHubSegment(deps, { id, segment, via: centreId });
		if (opened === undefined) log.error({ event: 'centre_segment_refused', device: id });
		else taken.push(opened);
	}
	if (taken.length > 0) await store.ingest(taken);
}

async function loadState(deps: HubSyncDeps, signal: AbortSignal): Promise<void> {
	const { store, venue, self, centre, log, nowMs } = deps;
	const lines = await centre.state(signal);
	// An epoch may have begun here since the centre was asked: its grants are nowhere else.
	if (!(await store.importState({ venue, self, lines, atMs: nowMs() }))) return;
	deps.wake();
	log.info({ event: 'state_loaded', ...(await store.head(venue)) });
}

/** Each epoch is begun once. A hub that the centre refuses was restored, and an operator names a new epoch. */
async function begin(deps: FollowDeps, epoch: number, signal: AbortSignal): Promise<FollowAgain> {
	const { store, venue, centre, log, own } = deps;
	try {
		const instance = own.instances.get(epoch) ?? own.contact;
		own.instances.set(epoch, instance);
		await store.addContact(venue, instance);
		const answer = await centre.call('begin', { epoch, instance }, { signal });
		if (answer.kind === 'waits') return 'soon';
		await store.grantEpoch({ venue, epoch, claims: answer.claims });
		deps.wake();
		log.info({ event: 'authority_begun', epoch });
		return 'begun';
	} catch (error) {
		if (!(error instanceof Refusal) || error.code !== 'stale_authority') throw error;
		own.refused.add(epoch);
		log.error({ event: 'authority_refused', epoch });
		return 'later';
	}
}

async function push(deps: HubSyncDeps, signal: AbortSignal): Promise<boolean> {
	const { store, venue, centre } = deps;
	const next = await store.outgoing(venue);
	switch (next.kind) {
		case 'nothing':
			return false;
		case 'rows':
			await pushRows(deps, next, signal);
			return next.hasMore;
		case 'end': {
			const { epoch, admissions, claims } = next;
			const last = admissions === undefined ? {} : { admissions };
			const answer = await centre.call('end', { epoch, ...last, claims: [...claims] }, { signal });
			await heed(deps, { epoch, answer, stored: { ended: epoch } }, signal);
			// A hub that lost what it was begins with what its centre has.
			if (answer.kind === 'stored' && admissions === undefined) await loadState(deps, signal);
			return true;
		}
	}
}

async function pushRows(
	deps: HubSyncDeps,
	sent: Outgoing & { readonly kind: 'rows' },
	signal: AbortSignal,
): Promise<void> {
	const { store, venue, centre } = deps;
	const { segments, through, log } = sent;
	if (segments.length > 0) await centre.call('segments', { segments: [...segments] }, { signal });
	if (log === undefined) return store.rememberSent(venue, { through });
	const { epoch, entries } = log;
	const answer = await centre.call('admissions', { epoch, entries: [...entries] }, { signal });
	const stored = { through, log: { epoch, admissions: entries.at(-1)?.n ?? 0 } };
	await heed(deps, { epoch, answer, stored }, signal);
}

interface Exchange {
	readonly epoch: number;
	readonly answer: HubLogAnswer;
	/** What the centre has if it has stored it. */
	readonly stored: PassedOn;
}

async function heed(deps: HubSyncDeps, { epoch, answer, stored }: Exchange, signal: AbortSignal): Promise<void> {
	const { store, venue, log } = deps;
	switch (answer.kind) {
		case 'stored':
			return store.rememberSent(venue, stored);
		case 'gap': {
			await store.rememberSent(venue, { log: { epoch, admissions: answer.admissions } });
			throw new StilewardError('server_answer_invalid', `the centre has epoch ${epoch} up to ${answer.admissions}`);
		}
		case 'rows_missing':
			await store.resendSegments(venue);
			throw new StilewardError('server_answer_invalid', `the centre misses rows of epoch ${epoch}`);
		case 'abandoned':
			// What this hub counted beyond the end is counted anew, from its segments, by whoever grants now.
			log.warn({ event: 'epoch_abandoned', epoch, admissions: answer.admissions });
			return loadState(deps, signal);
		case 'forked':
			log.error({ event: 'log_forked', epoch });
			await store.markStale(venue);
			return store.loseEpoch(venue, epoch);
	}
}
