import type { Ledger } from '../../../gate-agent/core/ledger.ts';
import type { Session } from '../../../sync/client/session.ts';
import type { RequestOf, ResponseOf, StaffRouteName } from '../../../sync/protocol/paths.ts';
import { createShiftCounters, noCounters, type ShiftCounters } from './counters.ts';
import type { Counters, Done, StaffName, StaffProblem } from './handheld.ts';
import type { StaffDesk } from './staff-desk.ts';
import type { Shift, StaffRecords } from './staff-records.ts';

/** What keeping a shift needs. */
export interface ShiftKeeperDeps {
	readonly desk: StaffDesk;
	readonly records: StaffRecords;
	readonly session: Pick<Session, 'call'>;
	readonly ledger: Ledger;
	readonly nowMs: () => number;
	readonly monoMs: () => number;
	readonly isOnline: () => boolean;
	readonly onChange: () => void;
}

/** Calls that carry the token of a shift. */
export type ShiftCall = Exclude<StaffRouteName, 'staffSignIn'>;

/** Who works with the handheld, from the PIN to the end of the shift, over reloads. */
export interface ShiftKeeper {
	/** The shift, undefined where nobody is signed in or its time is over. */
	shift(): Shift | undefined;
	counters(): Counters;
	signIn(name: StaffName, pin: string): Promise<Done>;
	signOut(): Promise<void>;
	/** Counts new rows, ends a shift whose time is over, and asks the server now and then whether it still holds. */
	look(): Promise<void>;
	call<Name extends ShiftCall>(
		name: Name,
		request: (token: string) => RequestOf<Name>,
	): Promise<Done<ResponseOf<Name>>>;
}

/** How often the server is asked whether a shift still holds. */
const askEveryMs = 60_000;

/** Somebody stands there and waits. */
const shiftCallMs = 5_000;

/** Opens the shift that was kept. */
export function createShiftKeeper(deps: ShiftKeeperDeps): ShiftKeeper {
	const { desk, records, ledger, session } = deps;
	const kept = records.shift();
	let counting: ShiftCounters | undefined = kept && createShiftCounters(ledger, kept.since);
	let askAtMs = Number.NEGATIVE_INFINITY;
	const shift = () => {
		const current = records.shift();
		return current !== undefined && deps.nowMs() < current.untilMs ? current : undefined;
	};
	const end = async () => {
		await records.setShift(undefined);
		counting = undefined;
		deps.onChange();
	};
	const askServer = async (current: Shift) => {
		if (!deps.isOnline() || deps.monoMs() < askAtMs) return;
		askAtMs = deps.monoMs() + askEveryMs;
		const answer = await desk.holds(current);
		if (answer === 'over' && records.shift() === current) await end();
		if (answer === 'unknown') askAtMs = Number.NEGATIVE_INFINITY;
	};
	return {
		shift,
		counters: () => counting?.counters() ?? noCounters,
		signIn: async (name, pin) => {
			const proven = await desk.prove(name, pin);
			if (proven.kind === 'not_done') return proven;
			const before = shift();
			const isSame = before?.name === name;
			const since = isSame ? before.since : { epoch: ledger.epoch, seq: await ledger.newestSeq() };
			await records.setShift({ ...proven.value, since });
			if (!isSame) counting = createShiftCounters(ledger, since);
			askAtMs = deps.monoMs() + askEveryMs;
			deps.onChange();
			return { kind: 'done', value: undefined };
		},
		signOut: end,
		look: async () => {
			await counting?.follow();
			const current = shift();
			if (current !== undefined) await askServer(current);
			else if (records.shift() !== undefined) await end();
		},
		call: async (name, request) => {
			const current = shift();
			if (current?.token === undefined) return notDone({ why: deps.isOnline() ? 'sign_in_again' : 'needs_server' });
			const outcome = await session.call(name, request(current.token), { timeoutMs: shiftCallMs });
			if (outcome.kind === 'ok') return { kind: 'done', value: outcome.body };
			if (outcome.kind !== 'refused') return notDone({ why: 'needs_server' });
			if (outcome.code === 'staff_refused') {
				await records.forget(current.name);
				await end();
			}
			return notDone(problemOf(outcome, deps.nowMs()));
		},
	};
}

function problemOf(
	{ code, retryAfterMs = 0 }: { readonly code: string; readonly retryAfterMs?: number },
	nowMs: number,
): StaffProblem {
	switch (code) {
		case 'staff_refused':
			return { why: 'sign_in_again' };
		case 'rate_limited':
			return { why: 'locked', untilMs: nowMs + retryAfterMs };
		case 'not_found':
			return { why: 'not_found' };
		case 'no_staff_here':
		case 'overloaded':
			return { why: 'needs_server' };
		default:
			return { why: 'server_refused' };
	}
}

function notDone(problem: StaffProblem): { readonly kind: 'not_done'; readonly problem: StaffProblem } {
	return { kind: 'not_done', problem };
}
