import { wholeTicket } from '../../../gate-agent/core/allowance.ts';
import { parseTicketNumber } from '../../../gate-agent/core/check-digit.ts';
import { type Ticket, ticketId } from '../../../gate-agent/core/ticket.ts';
import type {
	AskId,
	Done,
	Handheld,
	OrderTicket,
	StaffName,
	StaffProblem,
	TicketHistory,
	VenueLane,
	Verdict,
} from './handheld.ts';
import { staffEntryMax } from './handheld.ts';
import type { Work } from './handheld-work.ts';
import { ownHistory } from './ticket-history.ts';

/** The longest reason that is written down. */
const reasonCharsMax = 200;

const classForm = /^[a-z0-9_-]{1,32}$/;

/** A supervisor admits what was refused. */
export async function override(
	{ desk, lane }: Work,
	ask: AskId,
	{ name, pin, reason }: Parameters<Handheld['override']>[1],
): Promise<Done<Verdict>> {
	const proven = await desk.prove(name, pin);
	if (proven.kind === 'not_done') return proven;
	if (proven.value.role !== 'supervisor') return notDone({ why: 'not_supervisor' });
	const verdict = await lane.override(ask, { by: name, reason: reason.trim().slice(0, reasonCharsMax) });
	return verdict === undefined ? notDone({ why: 'too_late' }) : { kind: 'done', value: verdict };
}

/** Admits a ticket whose number staff have typed: what the server knows of it counts, else what they say. */
export async function typed(
	work: Work,
	{ evt, number, cls: said }: Parameters<Handheld['typed']>[0],
	by: StaffName,
): Promise<Done<Verdict>> {
	const idx = parseTicketNumber(number);
	if (idx === undefined || (said !== undefined && !classForm.test(said))) return notDone({ why: 'bad_number' });
	const known = await work.shifts.call('staffTicket', (token) => ({ token, evt, idx }));
	const { cls = said, use = 1 } = known.kind === 'done' ? known.value : {};
	if (cls === undefined) return known.kind === 'done' ? notDone({ why: 'not_found' }) : known;
	const ticket: Ticket = { id: ticketId(evt, idx), evt, idx, cls, use: Math.max(1, use) };
	return { kind: 'done', value: await work.lane.present({ kind: 'typed', ticket }, by) };
}

/** Admits visitors without a ticket, once that is written down. */
export async function staffEntry(
	{ ledger, identity, clock }: Work,
	{ cls, count, reason }: Parameters<Handheld['staffEntry']>[0],
	operator: StaffName,
): Promise<Done<Verdict>> {
	const isCount = Number.isInteger(count) && count >= 1 && count <= staffEntryMax;
	if (!isCount || !classForm.test(cls)) return notDone({ why: 'bad_number' });
	const said = reason.trim().slice(0, reasonCharsMax);
	const fact = { kind: 'staff_entry', lane: identity.lane, cls, count, operator, reason: said, rung: 'staff' } as const;
	await ledger.record(fact, clock.read().nowMs);
	const screen = { kind: 'granted', direction: 'entry', cls } as const;
	return { kind: 'done', value: { kind: 'granted', screen, rung: 'staff', people: count, left: 0 } };
}

/** What is known of a ticket: by the server, else by this device. */
export async function ticketHistory(
	work: Work,
	{ evt, idx }: Parameters<Handheld['history']>[0],
): Promise<TicketHistory> {
	const known = await work.shifts.call('staffTicket', (token) => ({ token, evt, idx }));
	if (known.kind === 'done') return { ...known.value, complete: true } as TicketHistory;
	const { ledger, identity } = work;
	const { revoked } = await ledger.history({
		...{ redemptionId: work.newId(), ticketId: ticketId(evt, idx), evt, idx, allowance: wholeTicket },
		...{ cls: '-', lane: identity.lane, zone: work.post().zone, use: 1, atMs: Math.trunc(work.clock.read().nowMs) },
	});
	return ownHistory(ledger, { evt, idx, device: identity.name, revoked });
}

/** The tickets of an order. */
export async function findOrder({ shifts }: Work, number: string): Promise<Done<readonly OrderTicket[]>> {
	const found = await shifts.call('staffOrder', (token) => ({ token, number: number.trim() }));
	return found.kind === 'done' ? { kind: 'done', value: found.value.tickets } : found;
}

/** The lanes of the venue. */
export async function lanes({ shifts }: Work): Promise<Done<readonly VenueLane[]>> {
	const found = await shifts.call('staffLanes', (token) => ({ token }));
	return found.kind === 'done' ? { kind: 'done', value: found.value.lanes } : found;
}

/** Answers a lane that waits for staff. */
export async function orderLane({ shifts }: Work, lane: Parameters<Handheld['orderLane']>[0]): Promise<Done> {
	const ordered = await shifts.call('staffLaneOrder', (token) => ({ token, ...lane }));
	return ordered.kind === 'done' ? { kind: 'done', value: undefined } : ordered;
}

function notDone(problem: StaffProblem): { readonly kind: 'not_done'; readonly problem: StaffProblem } {
	return { kind: 'not_done', problem };
}
