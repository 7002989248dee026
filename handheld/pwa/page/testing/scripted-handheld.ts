import type { RedemptionId } from '../../../../gate-agent/core/redemption.ts';
import type {
	Done,
	Handheld,
	HandheldState,
	LinkStatus,
	StaffProblem,
	Undoable,
	Verdict,
} from '../../engine/handheld.ts';
import { history, lanes, link, order, signedOut, verdicts, working } from './script.ts';

/** What a script says of the world at the start. */
export interface Script {
	readonly state: HandheldState;
	readonly nowMs: () => number;
}

/** A handheld that answers by a script, and writes down what it was asked. */
export interface ScriptedHandheld extends Handheld {
	/** What was asked, oldest first: `scan granted`, `admit 8`. */
	readonly asked: readonly string[];
	become(state: HandheldState): void;
}

/**
 * The port of the engine, in memory: a scanned text names its verdict (`granted`, `group`, `used`), the PIN is 2468.
 * For pictures and tests of the page; it decides nothing.
 */
export function scriptedHandheld(script: Script): ScriptedHandheld {
	const asked: string[] = [];
	const watchers = new Set<() => void>();
	let state = script.state;
	const become = (next: HandheldState) => {
		state = next;
		for (const changed of watchers) changed();
	};
	const answer = (verdict: Verdict): Verdict => {
		if (state.kind === 'working') become(counted(state, verdict));
		return verdict;
	};
	return {
		asked,
		become,
		state: () => state,
		watch: (changed) => {
			watchers.add(changed);
			return () => watchers.delete(changed);
		},
		...doors({ asked, become, state: () => state, script }),
		...admissions({ asked, answer, script }),
		...questions(asked),
		undo: async (redemptionId) => {
			asked.push(`undo ${redemptionId}`);
			if (state.kind === 'working') become(withoutUndo(state, redemptionId));
			return done(undefined);
		},
		close: async () => {},
	};
}

interface Doors {
	readonly asked: string[];
	readonly become: (state: HandheldState) => void;
	readonly state: () => HandheldState;
	readonly script: Script;
}

function doors({
	asked,
	become,
	state,
	script,
}: Doors): Pick<Handheld, 'takeOver' | 'enroll' | 'signIn' | 'signOut' | 'setPost'> {
	return {
		takeOver: async () => become(signedOut(script.nowMs())),
		enroll: async (text, name) => {
			asked.push(`enroll ${name}`);
			if (!text.includes('enroll=')) return notDone({ why: 'bad_link' });
			become(signedOut(script.nowMs()));
			return done(undefined);
		},
		signIn: async (name, pin) => {
			asked.push(`sign in ${name}`);
			if (pin === '0000') return notDone({ why: 'locked', untilMs: script.nowMs() + 30_000 });
			if (pin !== scriptedPin) return notDone({ why: 'wrong_pin' });
			become(working(script.nowMs()));
			return done(undefined);
		},
		signOut: async () => become(signedOut(script.nowMs())),
		setPost: async (post) => {
			asked.push(`post ${post.direction} ${post.zone}`);
			const now = state();
			if (now.kind === 'working') become({ ...now, post });
		},
	};
}

interface Admissions {
	readonly asked: string[];
	readonly answer: (verdict: Verdict) => Verdict;
	readonly script: Script;
}

function admissions({
	asked,
	answer,
	script,
}: Admissions): Pick<Handheld, 'scan' | 'admit' | 'override' | 'typed' | 'staffEntry'> {
	const named = (text: string) => verdicts(script.nowMs())[text] ?? refusedOf(script.nowMs());
	return {
		scan: async (text) => {
			asked.push(`scan ${text}`);
			return answer(named(text));
		},
		admit: async (_ask, people) => {
			asked.push(`admit ${people}`);
			return answer({ ...grantedOf(script.nowMs()), people });
		},
		override: async (_ask, { name, pin, reason }) => {
			asked.push(`override ${name} ${reason}`);
			return pin === scriptedPin
				? done(answer({ ...grantedOf(script.nowMs()), rung: 'staff' }))
				: notDone({ why: 'wrong_pin' });
		},
		typed: async ({ evt, number }) => {
			asked.push(`typed ${evt} ${number}`);
			return number.endsWith('30') ? done(answer(grantedOf(script.nowMs()))) : notDone({ why: 'bad_number' });
		},
		staffEntry: async ({ cls, count, reason }) => {
			asked.push(`staff entry ${count} ${cls} ${reason}`);
			return done(answer({ ...grantedOf(script.nowMs()), people: count, rung: 'staff' }));
		},
	};
}

function questions(asked: string[]): Pick<Handheld, 'look' | 'history' | 'findOrder' | 'lanes' | 'orderLane'> {
	return {
		look: async (text) => {
			asked.push(`look ${text}`);
			const screen = { kind: 'granted', direction: 'entry', cls: 'adult' } as const;
			return { verdict: 'admissible', screen, shown: { evt: 'lantern-2026', idx: 4711, cls: 'adult' }, left: 1 };
		},
		history: async () => history,
		findOrder: async (number) => (number.startsWith('A') ? done(order) : notDone({ why: 'not_found' })),
		lanes: async () => done(lanes),
		orderLane: async ({ lane, order: what }) => {
			asked.push(`lane ${lane} ${what}`);
			return done(undefined);
		},
	};
}

/** The PIN of everybody in the script. */
export const scriptedPin = '2468';

function grantedOf(nowMs: number): Verdict & { kind: 'granted' } {
	const { granted } = verdicts(nowMs);
	if (granted?.kind !== 'granted') throw new Error('assertion failed: the script grants');
	return granted;
}

function refusedOf(nowMs: number): Verdict {
	const { foreign } = verdicts(nowMs);
	if (foreign === undefined) throw new Error('assertion failed: the script refuses');
	return foreign;
}

type Working = HandheldState & { kind: 'working' };

function counted(state: Working, verdict: Verdict): Working {
	const { counters } = state;
	if (verdict.kind === 'refused') return { ...state, counters: { ...counters, refused: counters.refused + 1 } };
	if (verdict.kind !== 'granted') return state;
	const undoable: readonly Undoable[] = verdict.undo === undefined ? [] : [verdict.undo];
	return { ...state, counters: { ...counters, admitted: counters.admitted + verdict.people }, undoable };
}

function withoutUndo(state: Working, redemptionId: RedemptionId): Working {
	return { ...state, undoable: state.undoable.filter((each) => each.redemptionId !== redemptionId) };
}

function done<T>(value: T): Done<T> {
	return { kind: 'done', value };
}

function notDone(problem: StaffProblem): { readonly kind: 'not_done'; readonly problem: StaffProblem } {
	return { kind: 'not_done', problem };
}

/** A link that lost its venue long ago. */
export function lostLink(nowMs: number): LinkStatus {
	return {
		...link(nowMs),
		state: 'offline',
		rung: 'local',
		waiting: 132,
		lastSyncMs: nowMs - 96 * 60_000,
		listAgeMs: 96 * 60_000,
		alarm: true,
		persisted: false,
	};
}
