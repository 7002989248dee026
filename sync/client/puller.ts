import type { Zlib } from '../../gate-agent/core/status-list.ts';
import { type Cursor, formatCursor } from '../protocol/cursor.ts';
import type { FeedPage } from '../protocol/feed.ts';
import { type Snapshot, unpackPages } from '../protocol/snapshot.ts';
import type { CallDeps, Failure } from './call.ts';
import type { EpochFence } from './epoch-fence.ts';
import { type FeedCommand, type OwnRows, planPage } from './feed-page.ts';
import { followStream, type StreamEnd } from './feed-stream.ts';
import type { LoadedSnapshot, Replica, ReplicaChange } from './replica.ts';
import type { Session } from './session.ts';

/** What following the feed needs. */
export interface PullerDeps extends CallDeps {
	readonly session: Session;
	readonly replica: Replica;
	readonly fence: EpochFence;
	/** The device and the epoch of its journal: how it knows its own rows. */
	readonly own: () => OwnRows;
	readonly zlib: Zlib;
	/** Whether a key manifest is whole, signed by the pinned root and not older than the one in use. */
	readonly acceptKeys: (manifest: string) => Promise<boolean>;
	/** A command for a lane of this device, after everything before it was applied. At most once; expiry is judged here. */
	readonly onCommand: (command: FeedCommand) => void;
	/** A configuration was pushed to this device, or may have been while it did not follow. */
	readonly onConfig?: () => void;
	/** Server time in milliseconds since 1970, undefined while it is unknown: then no command is carried out. */
	readonly serverNowMs: () => number | undefined;
	/** Told whenever the server has confirmed that the replica is current. */
	readonly onCurrent: (cursor: Cursor) => void;
}

/** How one pull ended. */
export type Pulled =
	| { readonly kind: 'applied' | 'current' | 'loaded'; readonly cursor: Cursor }
	/** The server showed less than before, or another order: nothing was applied. */
	| { readonly kind: 'disbelieved'; readonly why: string }
	| Failure;

/** Brings the venue to the replica. Calls are made one after the other. */
export interface Puller {
	/** Asks once, and lets the server wait for news for so long. Loads the snapshot where the feed cannot go on. */
	pull(waitMs: number, signal?: AbortSignal): Promise<Pulled>;
	/** Follows the stream until it ends. `buffered`: poll for a while instead. */
	follow(signal: AbortSignal): Promise<StreamEnd | Pulled>;
}

/** How long an answer may take beyond the time that the server was asked to wait. */
const pullTimeoutMs = 15_000;
const snapshotTimeoutMs = 60_000;

/** Makes a puller. */
export function createPuller(deps: PullerDeps): Puller {
	const { session, replica } = deps;
	return {
		pull: async (waitMs, signal) => {
			const cursor = await replica.cursor();
			if (cursor === undefined || cursor.epoch < deps.fence.newest()) return loadSnapshot(deps, signal);
			const limits = { timeoutMs: waitMs + pullTimeoutMs, signal };
			const outcome = await session.call('feed', { since: formatCursor(cursor), waitMs }, limits);
			if (outcome.kind === 'refused' && outcome.code === 'cursor_gone') return loadSnapshot(deps, signal);
			return outcome.kind === 'ok' ? applyPage(deps, outcome.body, signal) : outcome;
		},
		follow: async (signal) => {
			const cursor = await replica.cursor();
			if (cursor === undefined || cursor.epoch < deps.fence.newest()) return loadSnapshot(deps, signal);
			let pulled: Pulled | undefined;
			const end = await followStream(deps, {
				since: formatCursor(cursor),
				signal,
				onEvent: async (event) => {
					if (event.kind === 'heartbeat') {
						const at = await replica.cursor();
						if (at !== undefined) deps.onCurrent(at);
						return true;
					}
					pulled = await applyPage(deps, event.page, signal);
					return pulled.kind === 'applied' || pulled.kind === 'current';
				},
			});
			const isStopped = pulled !== undefined && pulled.kind !== 'applied' && pulled.kind !== 'current';
			return end.kind === 'ended' && isStopped && pulled !== undefined ? pulled : end;
		},
	};
}

async function applyPage(deps: PullerDeps, page: FeedPage, signal: AbortSignal | undefined): Promise<Pulled> {
	const cursor = await deps.replica.cursor();
	if (cursor === undefined) return loadSnapshot(deps, signal);
	if (deps.fence.see(page.next.epoch) === 'older') return { kind: 'disbelieved', why: 'older_epoch' };
	const own = deps.own();
	const plan = planPage(cursor, page, own);
	if (plan.kind === 'snapshot') return loadSnapshot(deps, signal);
	if (plan.kind === 'refuse') return { kind: 'disbelieved', why: plan.why };
	if (plan.changes.length === 0 && formatCursor(plan.next) === formatCursor(cursor)) {
		deps.onCurrent(cursor);
		return { kind: 'current', cursor };
	}
	await deps.replica.apply(await vetted(deps, plan.changes), plan.next);
	deps.onCurrent(plan.next);
	giveCommands(deps, plan.commands, own.device);
	if (plan.configured) deps.onConfig?.();
	return { kind: 'applied', cursor: plan.next };
}

/** Commands are not kept: one that is applied and then lost with the agent has expired when it comes back. */
function giveCommands(deps: PullerDeps, commands: readonly FeedCommand[], device: string): void {
	const nowMs = deps.serverNowMs();
	if (nowMs === undefined) return;
	for (const command of commands) {
		if (command.device === device && nowMs < command.expiresMs) deps.onCommand(command);
	}
}

/** A manifest that is refused stays out; the rest of the feed goes on, because a revocation must not wait for it. */
async function vetted(deps: PullerDeps, changes: readonly ReplicaChange[]): Promise<readonly ReplicaChange[]> {
	const kept: ReplicaChange[] = [];
	for (const change of changes) {
		if (change.kind !== 'keys' || (await deps.acceptKeys(change.manifest))) kept.push(change);
	}
	return kept;
}

async function loadSnapshot(deps: PullerDeps, signal: AbortSignal | undefined): Promise<Pulled> {
	const outcome = await deps.session.call('snapshot', {}, { timeoutMs: snapshotTimeoutMs, signal });
	if (outcome.kind !== 'ok') return outcome;
	const { cursor } = outcome.body;
	if (deps.fence.see(cursor.epoch) === 'older') return { kind: 'disbelieved', why: 'older_epoch' };
	const before = await deps.replica.cursor();
	if (before !== undefined && isBehind(cursor, before)) return { kind: 'disbelieved', why: 'rollback' };
	let loaded: LoadedSnapshot;
	try {
		loaded = await unpack(deps, outcome.body);
	} catch {
		return { kind: 'bad_answer', why: 'the snapshot is damaged' };
	}
	await deps.replica.load(loaded);
	deps.onCurrent(cursor);
	deps.onConfig?.();
	return { kind: 'loaded', cursor };
}

/** The control log has one writer and goes on through all epochs; admissions begin anew with each. */
function isBehind(cursor: Cursor, before: Cursor): boolean {
	if (cursor.control < before.control) return true;
	return cursor.epoch === before.epoch && cursor.admissions < before.admissions;
}

async function unpack(deps: PullerDeps, snapshot: Snapshot): Promise<LoadedSnapshot> {
	const { cursor, events, keys, devices, journals } = snapshot;
	const own = deps.own();
	const loaded: LoadedSnapshot['events'][number][] = [];
	for (const { evt, policy, redeemed, revoked, counts } of events) {
		const sets = { redeemed: await unpackPages(redeemed, deps.zlib), revoked: await unpackPages(revoked, deps.zlib) };
		loaded.push({ evt, policy, ...sets, counts });
	}
	const isAccepted = keys !== undefined && (await deps.acceptKeys(keys));
	const device = devices.find((each) => each.device === own.device)?.status ?? 'active';
	const journal = journals.find((each) => each.device === own.device && each.journal === own.deviceEpoch);
	return { cursor, events: loaded, ...(isAccepted && { keys }), ownThrough: journal?.through ?? 0, device };
}
