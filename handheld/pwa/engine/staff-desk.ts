import type { Outcome } from '../../../sync/client/call.ts';
import type { Session } from '../../../sync/client/session.ts';
import type { ResponseOf } from '../../../sync/protocol/paths.ts';
import type { Done, Staff, StaffName, StaffProblem } from './handheld.ts';
import { countWrong, lockAt } from './lockout.ts';
import type { PinVerifiers } from './pin-verifier.ts';
import type { Shift, StaffRecords } from './staff-records.ts';

/** What checks staff needs. */
export interface StaffDeskDeps {
	readonly session: Pick<Session, 'call'>;
	readonly records: StaffRecords;
	readonly verifiers: PinVerifiers;
	/** Milliseconds since 1970, never going back while the program runs. */
	readonly nowMs: () => number;
}

/** Who a PIN has proven, and the server's token where the server said so. */
export interface Proven extends Staff {
	readonly token?: string;
}

/** Proves who staff are: by the server, and without it by what this device has kept. */
export interface StaffDesk {
	prove(name: StaffName, pin: string): Promise<Done<Proven>>;
	/** Asks whether the server still knows a shift: `over` ends it, `unknown` says nothing. */
	holds(shift: Shift): Promise<'holds' | 'over' | 'unknown'>;
}

/** Somebody stands there and waits: a server that takes longer is not asked. */
const staffCallMs = 5_000;

/** How long a sign-in without the server holds. */
export const offlineShiftMs = 16 * 3_600_000;

const nameForm = /^[a-z0-9][a-z0-9._-]{0,31}$/;
const pinForm = /^\d{4,12}$/;

/** Makes a desk. */
export function createStaffDesk(deps: StaffDeskDeps): StaffDesk {
	return {
		prove: (name, pin) => prove(deps, name, pin),
		holds: (shift) => holds(deps, shift),
	};
}

async function prove(deps: StaffDeskDeps, name: StaffName, pin: string): Promise<Done<Proven>> {
	if (!nameForm.test(name) || !pinForm.test(pin)) return notDone({ why: 'wrong_pin' });
	const lock = lockAt(deps.records.lock(name), deps.nowMs());
	if (lock.leftMs > 0) return notDone({ why: 'locked', untilMs: deps.nowMs() + lock.leftMs });
	const outcome = await deps.session.call('staffSignIn', { name, pin }, { timeoutMs: staffCallMs });
	if (outcome.kind === 'ok') return accept(deps, { name, pin, answer: outcome.body });
	return isRefusal(outcome) ? refuse(deps, { name, pin, outcome }) : proveHere(deps, name, pin);
}

/** What the server says of a person counts; that it cannot say anything does not. */
function isRefusal(outcome: Outcome<unknown>): outcome is Outcome<unknown> & { kind: 'refused' } {
	return (
		outcome.kind === 'refused' &&
		['staff_refused', 'rate_limited', 'device_disabled', 'device_unknown'].includes(outcome.code)
	);
}

interface Accepted {
	readonly name: StaffName;
	readonly pin: string;
	readonly answer: ResponseOf<'staffSignIn'>;
}

async function accept({ records, verifiers }: StaffDeskDeps, { name, pin, answer }: Accepted): Promise<Done<Proven>> {
	const { role, token, untilMs, pinVersion } = answer;
	await records.setLock(name, undefined);
	await records.remember(name, { role, pinVersion, verifier: await verifiers.make(pin) });
	return { kind: 'done', value: { name, role, untilMs, token, offline: false } };
}

interface Refused {
	readonly name: StaffName;
	readonly pin: string;
	readonly outcome: Outcome<unknown> & { kind: 'refused' };
}

/** A PIN that was right here and is refused there was changed, or its owner disabled: it is forgotten here too. */
async function refuse(deps: StaffDeskDeps, { name, pin, outcome }: Refused): Promise<Done<Proven>> {
	const { records, verifiers, nowMs } = deps;
	if (outcome.code === 'rate_limited') {
		return notDone({ why: 'locked', untilMs: nowMs() + (outcome.retryAfterMs ?? 0) });
	}
	if (outcome.code !== 'staff_refused') return notDone({ why: 'server_refused' });
	const known = records.known(name);
	if (known && (await verifiers.check(pin, known.verifier))) await records.forget(name);
	return wrongPin(deps, name);
}

async function proveHere(deps: StaffDeskDeps, name: StaffName, pin: string): Promise<Done<Proven>> {
	const { records, verifiers, nowMs } = deps;
	const known = records.known(name);
	if (known === undefined) return notDone({ why: 'unknown_here' });
	if (!(await verifiers.check(pin, known.verifier))) return wrongPin(deps, name);
	await records.setLock(name, undefined);
	const { role } = known;
	return { kind: 'done', value: { name, role, untilMs: nowMs() + offlineShiftMs, offline: true } };
}

/** Only names that this device could prove are counted: guessing others is stopped by the server. */
async function wrongPin({ records, nowMs }: StaffDeskDeps, name: StaffName): Promise<Done<Proven>> {
	if (records.known(name) === undefined) return notDone({ why: 'wrong_pin' });
	const lock = countWrong(records.lock(name), nowMs());
	await records.setLock(name, lock);
	return notDone(lock.leftMs > 0 ? { why: 'locked', untilMs: nowMs() + lock.leftMs } : { why: 'wrong_pin' });
}

async function holds(
	{ session, records }: StaffDeskDeps,
	{ name, token }: Shift,
): Promise<'holds' | 'over' | 'unknown'> {
	if (token === undefined) return 'unknown';
	const outcome = await session.call('staffStatus', { token }, { timeoutMs: staffCallMs });
	if (outcome.kind === 'ok') {
		if (records.known(name)?.pinVersion !== outcome.body.pinVersion) await records.forget(name);
		return 'holds';
	}
	if (outcome.kind !== 'refused' || outcome.code !== 'staff_refused') return 'unknown';
	await records.forget(name);
	return 'over';
}

function notDone(problem: StaffProblem): { readonly kind: 'not_done'; readonly problem: StaffProblem } {
	return { kind: 'not_done', problem };
}
