import { createAdmitter } from '../../../gate-agent/core/admit.ts';
import { type AgentClock, createAgentClock } from '../../../gate-agent/core/agent-clock.ts';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { Ledger } from '../../../gate-agent/core/ledger.ts';
import type { RedemptionId } from '../../../gate-agent/core/redemption.ts';
import { assumedTaken, startedFact } from '../../../gate-agent/core/started.ts';
import { openTracer } from './foreign-trace.ts';
import type { HandheldState, Post } from './handheld.ts';
import type { HandheldDeps, KeptDeps } from './handheld-deps.ts';
import { createHandheldLane, type HandheldLane } from './handheld-lane.ts';
import type { Identity } from './identity.ts';
import { linkStatusOf } from './link-status.ts';
import { createOpenGrants } from './open-grants.ts';
import { openPinVerifiers } from './pin-verifier.ts';
import { createQuestions } from './questions.ts';
import { newRedemptionId } from './random-ids.ts';
import { createSerial } from './serial.ts';
import { createShiftKeeper, type ShiftKeeper } from './shift-keeper.ts';
import { createStaffDesk, type StaffDesk } from './staff-desk.ts';
import { openStaffRecords } from './staff-records.ts';
import { openVenueLine, type VenueLine } from './venue-line.ts';

/** What an enrolled handheld works with. */
export interface WorkOptions {
	readonly deps: KeptDeps;
	readonly identity: Identity;
	readonly ledger: Ledger;
	readonly clock: AgentClock;
	readonly onChange: () => void;
}

/** An enrolled handheld with its ledger: its parts, and what drives them. */
export interface Work {
	readonly identity: Identity;
	readonly ledger: Ledger;
	readonly clock: AgentClock;
	readonly line: VenueLine;
	readonly lane: HandheldLane;
	readonly desk: StaffDesk;
	readonly shifts: ShiftKeeper;
	newId(): RedemptionId;
	state(): HandheldState & { kind: 'signed_out' | 'working' };
	post(): Post;
	setPost(post: Post): Promise<void>;
	/** Something was done: the sync and the counters follow. Resolves once they do. */
	follow(): Promise<void>;
	/** Settles what is open and ends everything but the ledger. */
	close(): Promise<void>;
}

/** How often the state is looked at. */
const lookEveryMs = 1_000;

const defaultPost: Post = { direction: 'entry', zone: 'main' };

/** The clock of a handheld: what its ledger holds is certainly past. */
export async function openClock({ systemMs, clock, log }: HandheldDeps, ledger: Ledger): Promise<AgentClock> {
	return createAgentClock(
		{ systemMs, monoMs: clock.monoMs },
		{
			...{ floorsMs: [await ledger.latestMs()], epoch: await ledger.clockEpoch() },
			onChange: ({ trusted, doubt }) => log('clock', { trusted, ...(doubt !== undefined && { doubt }) }),
		},
	);
}

/** Begins to work. Rejects where the ledger fails. */
export async function openWork(options: WorkOptions): Promise<Work> {
	const { deps, identity, ledger, clock, onChange } = options;
	await recordStart(options);
	// Written by `setPost` alone.
	let post = ((await deps.keys.get('post')) ?? defaultPost) as Post;
	const line = await openVenueLine({
		deps,
		keys: deps.keys,
		identity,
		ledger,
		clock,
		onChange,
		mode: () => post.direction,
	});
	const nowMs = () => clock.read().nowMs;
	const records = await openStaffRecords(deps.keys);
	const verifiers = await openPinVerifiers(deps.keys, deps.crypto);
	const desk = createStaffDesk({ session: line.session, records, verifiers, nowMs });
	const isOnline = () => line.status().state === 'online';
	const shifts = createShiftKeeper({
		...{ desk, records, session: line.session, ledger, nowMs, isOnline, onChange },
		monoMs: deps.clock.monoMs,
	});
	const { lane, grants, serial } = await openLane(options, line, () => post);
	let persisted = false;
	void deps.persist().then((isPromised) => {
		persisted = isPromised;
	});
	const looking = startLooking(options, { line, shifts });
	return {
		...{ identity, ledger, clock, line, lane, desk, shifts },
		newId: () => newRedemptionId(deps.crypto),
		state: () => {
			const link = linkStatusOf({ identity, line, clock, persisted });
			const shift = shifts.shift();
			if (shift === undefined) return { kind: 'signed_out', link, known: records.names() };
			const { name, role, untilMs, offline } = shift;
			const staff = { name, role, untilMs, offline };
			return { kind: 'working', link, staff, post, counters: shifts.counters(), undoable: grants.list() };
		},
		post: () => post,
		setPost: async (next) => {
			await deps.keys.put('post', next);
			post = next;
			onChange();
		},
		follow: looking.look,
		close: async () => {
			looking.stop();
			await serial(grants.endAll).catch((error: unknown) => tell(options, error));
			await line.close();
		},
	};
}

/** Says that the program has started, and ends what its last life left open: nobody knows who passed. */
async function recordStart({ deps, identity, ledger, clock }: WorkOptions): Promise<void> {
	const open = await ledger.openGrants();
	const started = startedFact({ clock, agent: identity.name, version: deps.version });
	await ledger.record(started, clock.read().nowMs);
	for (const grant of open) await ledger.settle(assumedTaken(grant), clock.read().nowMs);
}

async function openLane({ deps, identity, ledger, clock, onChange }: WorkOptions, line: VenueLine, post: () => Post) {
	const nowMs = () => clock.read().nowMs;
	const serial = createSerial();
	const grants = createOpenGrants({ ledger, clock: deps.clock, nowMs, serial, onChange, log: deps.log });
	const admitter = createAdmitter({
		...{ keyset: line.keyset, ledger, policyOf: line.policyOf, agent: identity.name, authority: line.authority },
		// The zone is read anew for each visitor: staff move.
		lane: {
			id: identity.lane,
			get zone() {
				return post().zone;
			},
		},
		...{ clock: () => clock.read(), standing: line.standing, listsStale: line.listsStale },
		newRedemptionId: () => newRedemptionId(deps.crypto),
		onError: (error) => tell({ deps }, error),
	});
	const lane = createHandheldLane({
		...{ admitter, ledger, grants, serial, nowMs, lane: identity.lane, direction: () => post().direction },
		questions: createQuestions(deps.clock.monoMs),
		trace: await openTracer(deps.keys, deps.crypto.subtle),
	});
	return { lane, grants, serial };
}

function startLooking(options: WorkOptions, { line, shifts }: Pick<Work, 'line' | 'shifts'>) {
	const { deps, onChange } = options;
	const ended = new AbortController();
	const look = async () => {
		try {
			await line.look();
			await shifts.look();
		} catch (error) {
			tell(options, error);
		}
		onChange();
	};
	const loop = async () => {
		while (!ended.signal.aborted) {
			await look();
			await deps.clock.sleep(lookEveryMs, ended.signal);
		}
	};
	void loop();
	const sleepless = deps.onWake(() => {
		line.wake();
		line.rowsWritten();
	});
	return {
		look: async () => {
			line.rowsWritten();
			await look();
		},
		stop: () => {
			ended.abort();
			sleepless();
		},
	};
}

/** An operating error is told and lived with; a bug is not hidden. */
function tell({ deps }: Pick<WorkOptions, 'deps'>, error: unknown): void {
	if (!(error instanceof StilewardError)) throw error;
	deps.log('ledger_failed', { code: error.code });
}
