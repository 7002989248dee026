import { randomBytes } from 'node:crypto';
import { authorityOf } from '../sync/client/claim-authority.ts';
import { type LedgerSync, openLedgerSync, type VenueRules } from '../sync/client/ledger-sync.ts';
import { createSyncClient, type SyncClient } from '../sync/client/sync-client.ts';
import type { SyncStatus } from '../sync/client/sync-loop.ts';
import type { Transport } from '../sync/client/transport.ts';
import { createWake } from '../sync/client/wake.ts';
import { createHttpsClient, type HttpsClient } from '../sync/node/https-client.ts';
import { createHttpsTransport } from '../sync/node/https-transport.ts';
import { nodeClock } from '../sync/node/node-clock.ts';
import { nodeZlib } from '../sync/node/node-zlib.ts';
import { signDeviceAssertion } from '../sync/protocol/device-assertion.ts';
import { isLaneCommand } from '../sync/protocol/lane-command.ts';
import type { UpdateReport } from '../sync/protocol/release.ts';
import { signSegment } from '../sync/protocol/segment-jws.ts';
import type { Segment } from '../sync/protocol/segments.ts';
import { openTime } from '../sync/protocol/signed-time.ts';
import { problemOf } from './agent-lane.ts';
import { type ConfigLink, followConfigs } from './config-fetch.ts';
import type { AgentClock } from './core/agent-clock.ts';
import type { Authority } from './core/authority.ts';
import type { Standing } from './core/decide.ts';
import { StilewardError } from './core/errors.ts';
import type { LaneStatus } from './core/lane.ts';
import type { LaneCommand } from './core/lane-state.ts';
import type { Ledger } from './core/ledger.ts';
import { createListAge, type ListAge } from './core/list-age.ts';
import type { Policy } from './core/policy.ts';
import { startedFact } from './core/started.ts';
import { openVenueKeys, type VenueKeys } from './core/venue-keys.ts';
import type { EnrolledGate, Enrollment } from './enrollment.ts';
import type { Logger } from './logger.ts';
import { followUpdate } from './update/update-follower.ts';
import type { UpdatePlan } from './update/update-plan.ts';
import { within } from './within.ts';

/** What a gate needs to be a part of its venue. */
export interface VenueLinkOptions {
	readonly gate: EnrolledGate;
	readonly ledger: Ledger;
	readonly clock: AgentClock;
	readonly random: () => number;
	readonly log: Logger;
	readonly agent: string;
	readonly version: string;
	/** How long a lane waits for the authority. */
	readonly claimBudgetMs: number;
	readonly lanes: () => ReadonlyMap<string, LaneStatus>;
	readonly onCommand: (lane: string, command: LaneCommand) => void;
	/** Where pushed configurations go; without it the gate asks for none. */
	readonly configs?: ConfigLink;
	/** The version that the gate is to run; absent where it goes on with its own. */
	readonly update?: UpdatePlan;
	/** How the server is reached; absent means pinned HTTPS to the address of the enrollment. */
	readonly transport?: Transport;
}

/** A gate's part in its venue: whom to ask, by which rules, and how it stands. */
export interface VenueLink {
	readonly authority: Authority;
	readonly keys: VenueKeys;
	policyOf(evt: string): Policy | undefined;
	/** Events of the venue whose rules are known here. */
	events(): readonly string[];
	standing(): Standing;
	/** Whether the lists are older than a policy bears. */
	listsStale(policy: Policy): boolean;
	/**
	 * Resolves once the server was reached for the first time and the gate knows what it missed, or could not be reached,
	 * or after so long.
	 */
	firstTry(withinMs: number): Promise<void>;
	/** The journal has new rows. */
	rowsWritten(): void;
	/** Something changed at a lane that people at the server want to see. */
	changed(): void;
	health(): VenueHealth;
	close(): Promise<void>;
}

/** How a gate stands with its venue, for `/healthz` and metrics. */
export interface VenueHealth extends Omit<SyncStatus, 'cursor'> {
	readonly venue: string;
	readonly device: string;
	readonly server: string;
	readonly standing: Standing;
	/** Whether the lists are older than one of the venue's events allows. */
	readonly listsStale: boolean;
}

/** How often the state is looked at, for health and the log. */
const lookEveryMs = 1_000;

/** How long the sync may take to end; what it still wants from a closed ledger is refused there. */
const closeWaitMs = 1_000;

/** How often a start looks whether the server was reached. */
const firstLookMs = 10;

/** New rows wait this long before they are sent, so that the gate opens first. */
const pushAfterMs = 5;

/** Commands that are remembered, so that one that is heard twice is carried out once. */
const commandsMax = 256;

/** Joins a gate to the server of its enrollment. Nothing here keeps a lane: without the server it decides by policy. */
export async function openVenueLink(options: VenueLinkOptions): Promise<VenueLink> {
	const { gate, ledger, clock, log } = options;
	const { device, venue, server } = gate.enrollment;
	const ended = new AbortController();
	const fetching = createWake(nodeClock);
	const told: { update?: UpdateReport } = {};
	const sync = await followIn(options);
	const keys = await openVenueKeys(gate.enrollment.rootKey, sync.rules().manifest);
	const line = reach(options);
	const client = await createSyncClient({
		...sync,
		...identityOf(gate),
		...{ transport: line.transport, clock: nodeClock, random: options.random, zlib: nodeZlib, newNonce },
		claimBudgetMs: options.claimBudgetMs,
		acceptKeys: keys.accept,
		onFloor: clock.learn,
		onCommand: commandGate(options),
		onConfig: () => fetching.ring(),
		onConflicts: (conflicts) => log.error({ event: 'conflict', conflicts }),
		standing: () => ({ ...reportOf(options), ...told }),
		onBehind: () => beginEpoch(options),
		signal: ended.signal,
	});
	const listAge = await createListAge(ledger, () => clock.read().nowMs);
	const watch = await watchVenue({ client, sync, listAge, log, onOnline: () => fetching.ring() });
	const { configs } = options;
	const unwatch = configs?.watch(() => client.loop.reportSoon());
	if (configs) void followConfigs({ session: client.session, configs, wake: fetching, signal: ended.signal });
	follow(options, { client, transport: line.transport, signal: ended.signal }, (update) => {
		told.update = update;
		client.loop.reportSoon();
	});
	const standing = () => standingOf(sync.rules(), watch.status());
	const running = client.loop.run(ended.signal);
	let pushing: NodeJS.Timeout | undefined;
	return {
		authority: authorityOf(client.claimer, () => ledger.epoch),
		keys,
		policyOf: (evt) => (Object.hasOwn(sync.rules().policies, evt) ? sync.rules().policies[evt] : undefined),
		events: () => Object.keys(sync.rules().policies),
		standing,
		listsStale: listAge.isStale,
		firstTry: async (withinMs) => {
			await tried(() => client.loop.status(), withinMs);
			await watch.look();
		},
		rowsWritten: () => {
			pushing ??= setTimeout(() => {
				pushing = undefined;
				client.loop.rowsWritten();
			}, pushAfterMs).unref();
		},
		changed: () => client.loop.reportSoon(),
		health: () => {
			const { cursor: _, listAgeMs: __, ...now } = watch.status();
			const lists = { listsStale: watch.listsStale(), listAgeMs: Math.round(listAge.ageMs()) };
			return { venue, device, server, standing: standing(), ...now, ...lists };
		},
		close: async () => {
			watch.stop();
			unwatch?.();
			clearTimeout(pushing);
			ended.abort();
			// Calls that hang on a frozen server end with their connections.
			line.close();
			await within(running, closeWaitMs);
		},
	};
}

/** Goes for the version that the gate is to run, where there is one. */
function follow(
	{ update, gate, clock, log }: VenueLinkOptions,
	{
		client,
		transport,
		signal,
	}: { readonly client: SyncClient; readonly transport: Transport; readonly signal: AbortSignal },
	onReport: (report: UpdateReport) => void,
): void {
	if (update === undefined) return;
	void followUpdate({
		...{ ...update, transport, signal, session: client.session, rootKey: gate.enrollment.rootKey },
		...{ nowMs: () => trustedNow(clock), sleep: nodeClock.sleep },
		onReport: (report) => {
			log[report.state === 'refused' ? 'error' : 'info']({ event: 'update', ...report });
			onReport(report);
		},
	});
}

interface Watched {
	readonly client: SyncClient;
	readonly sync: LedgerSync;
	readonly listAge: ListAge;
	readonly log: Logger;
	/** The server is reached again, and may have had news meanwhile. */
	readonly onOnline: () => void;
}

/** Looks again and again how the gate stands with its venue, and tells what has changed. */
async function watchVenue({ client, sync, listAge, log, onOnline }: Watched) {
	let status = await client.loop.status();
	let listsStale = false;
	const look = async () => {
		const before = status;
		status = await client.loop.status();
		if (status.problem === 'device_disabled' && sync.rules().standing !== 'disabled') await sync.disable();
		await listAge.confirm(status.listAgeMs);
		if (before.state !== 'online' && status.state === 'online') onOnline();
		tellChange(log, before, status);
		const lists = listAge.look(Object.values(sync.rules().policies));
		if (lists.changed) tellLists(log, lists.stale, listAge.ageMs());
		listsStale = lists.stale;
	};
	const failed = (error: unknown) => log.error({ event: 'venue_failed', ...problemOf(error) });
	const looking = setInterval(() => void look().catch(failed), lookEveryMs).unref();
	return {
		look,
		status: (): SyncStatus => status,
		listsStale: (): boolean => listsStale,
		stop: () => clearInterval(looking),
	};
}

/** Milliseconds since 1970; undefined while the clock is not trusted. */
function trustedNow(clock: AgentClock): number | undefined {
	const { trusted, nowMs } = clock.read();
	return trusted ? nowMs : undefined;
}

/** The ledger's side of the sync. */
function followIn({ gate, ledger, clock, log }: VenueLinkOptions): Promise<LedgerSync> {
	return openLedgerSync({
		ledger,
		device: gate.enrollment.device,
		nowMs: () => clock.read().nowMs,
		onRules: (rules) => log.info({ event: 'venue_rules', ...ruleFields(rules) }),
		onPolicyRefused: (evt) => log.error({ event: 'policy_refused', evt, problem: 'it needs a newer version' }),
	});
}

/** Waits until the server was reached, or was not. */
async function tried(status: () => Promise<SyncStatus>, withinMs: number): Promise<void> {
	const untilMs = nodeClock.monoMs() + withinMs;
	for (;;) {
		const { state, problem } = await status();
		if (state === 'online' || problem !== undefined || nodeClock.monoMs() >= untilMs) return;
		await nodeClock.sleep(firstLookMs);
	}
}

function reach(options: VenueLinkOptions): { readonly transport: Transport; close(): void } {
	if (options.transport) return { transport: options.transport, close: () => {} };
	const https = connect(options);
	return { transport: createHttpsTransport(https), close: () => https.close() };
}

function connect({ gate: { enrollment }, clock }: VenueLinkOptions): HttpsClient {
	return createHttpsClient({
		url: enrollment.url,
		fingerprint: enrollment.fingerprint,
		trustedNowMs: () => trustedNow(clock),
	});
}

/** What the device signs, and whose time it believes. */
export function identityOf({ enrollment, key }: EnrolledGate) {
	const { device, venue, server } = enrollment;
	let { timeKeys } = enrollment;
	return {
		server,
		signAssertion: (challenge: { readonly nonce: string; readonly nowMs: number }) =>
			signDeviceAssertion({ device, venue, server, jti: newNonce(), ...challenge }, key),
		signSegment: (segment: Segment) => signSegment(segment, key),
		openTime: (jws: string, nonce: string) => openTime(jws, { nonce, keys: timeKeys }),
		onTimeKeys: (newest: Enrollment['timeKeys']) => {
			timeKeys = newest;
		},
	};
}

function reportOf({ version, clock, lanes, configs }: VenueLinkOptions) {
	const config = configs?.report();
	return {
		...(config && { config }),
		version,
		clockTrusted: clock.read().trusted,
		...offsetOf(clock),
		lanes: [...lanes()].map(([lane, status]) => laneReport(lane, status)),
	};
}

function newNonce(): string {
	return randomBytes(16).toString('base64url');
}

/** What the feed says, what the server answers to the journal, the worse of both. */
function standingOf(rules: VenueRules, { journal }: SyncStatus): Standing {
	return rules.standing !== 'disabled' && journal === 'quarantined' ? 'quarantined' : rules.standing;
}

/** A command is carried out once, at a lane that this agent has, and only where it is one. */
function commandGate({ lanes, onCommand, log }: VenueLinkOptions) {
	const done = new Set<string>();
	return ({ id, lane, command }: { readonly id: string; readonly lane: string; readonly command: unknown }) => {
		if (done.has(id)) return;
		done.add(id);
		const [oldest] = done;
		if (done.size > commandsMax && oldest !== undefined) done.delete(oldest);
		if (!lanes().has(lane) || !isLaneCommand(command)) {
			log.error({ event: 'command_refused', id, lane, problem: 'there is no such lane or command' });
			return;
		}
		log.info({ event: 'command', id, lane, command: command.kind });
		onCommand(lane, command);
	};
}

/** An old disk came back: its next row numbers are spent, so that the journal begins anew. */
async function beginEpoch({ ledger, log, clock, agent, version }: VenueLinkOptions): Promise<void> {
	const before = ledger.epoch;
	try {
		await ledger.beginEpoch();
		// The server hears of the new journal by its first row, and ends what the old one left open.
		await ledger.record(startedFact({ clock, agent, version }), clock.read().nowMs);
		log.error({
			event: 'journal_behind',
			before,
			epoch: ledger.epoch,
			problem: 'the server knows more of it: an old disk',
		});
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		log.error({ event: 'ledger_failed', ...problemOf(error) });
	}
}

function ruleFields({ policies, standing }: VenueRules) {
	return { events: Object.keys(policies), standing };
}

function offsetOf(clock: AgentClock): { clockOffsetMs?: number } {
	const { serverOffsetMs, monoMs } = clock.read();
	return serverOffsetMs === undefined ? {} : { clockOffsetMs: Math.round(monoMs + serverOffsetMs - Date.now()) };
}

function laneReport(lane: string, { mode, phase, emergency, missing, alarms }: LaneStatus) {
	return { lane, mode, phase, emergency, missing: missing.slice(0, 16), alarms: alarms.slice(0, 16) };
}

function tellLists(log: Logger, stale: boolean, ageMs: number): void {
	const fields = { event: 'lists', state: stale ? 'stale' : 'current', ageMs: Math.round(ageMs) };
	log[stale ? 'error' : 'info'](
		stale ? { ...fields, problem: 'older than an event allows: look at the network' } : fields,
	);
}

function tellChange(log: Logger, before: SyncStatus, now: SyncStatus): void {
	if (before.state !== now.state && now.state !== 'connecting') {
		log.info({ event: 'venue', state: now.state, ...(now.problem !== undefined && { problem: now.problem }) });
	}
	if (before.journal !== now.journal) {
		log[now.journal === 'accepted' ? 'info' : 'error']({ event: 'journal', state: now.journal });
	}
	if (before.lostClaims < now.lostClaims) log.error({ event: 'claims_lost', count: now.lostClaims });
}
