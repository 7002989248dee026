import { closedFor, sayClosed } from './lane-closed.ts';
import type { Move } from './lane-move.ts';
import { become, emit, inOrder, say, stay } from './lane-move.ts';
import { openGate } from './lane-passage.ts';
import { enqueue } from './lane-scans.ts';
import type { StaffEntry } from './lane-state.ts';

/** The largest number of visitors that one order admits. */
export const staffEntryMax = 100;

/** Staff admit visitors without a ticket; while somebody is on the way the order waits its turn. */
export function onStaffEntry(order: StaffEntry): Move {
	if (!Number.isInteger(order.count) || order.count < 1 || order.count > staffEntryMax) return stay;
	return (state) => {
		const isBusy = state.phase.kind !== 'idle' && !closedFor(state, 'entry');
		return (isBusy ? enqueue({ kind: 'staff', order, atMs: state.nowMs }) : enterByStaff(order))(state);
	};
}

/** Writes the order down; the gate opens once that is durable, like for a ticket. */
export function enterByStaff(order: StaffEntry): Move {
	return (state) => {
		const mode = closedFor(state, 'entry');
		if (mode) return sayClosed(mode)(state);
		const entryId = state.nextId;
		const { cls, count, by: operator, reason } = order;
		const fact = { kind: 'staff_entry', lane: state.config.id, cls, count, operator, reason, rung: 'staff' } as const;
		return inOrder(
			become({ phase: { kind: 'recording', entryId, order, askedMs: state.nowMs }, nextId: entryId + 1 }),
			emit({ kind: 'record_entry', entryId, fact }),
		)(state);
	};
}

/** The order is durable, or could not be written; then the gate stays shut. */
export function onRecorded(entryId: number, ok: boolean): Move {
	return (state) => {
		const { phase } = state;
		if (phase.kind !== 'recording' || phase.entryId !== entryId) return stay(state);
		if (!ok) return entryFailed(state);
		const mode = closedFor(state, 'entry');
		if (mode) return inOrder(become({ phase: { kind: 'idle' } }), sayClosed(mode))(state);
		const { cls, count } = phase.order;
		return openGate({
			claim: { kind: 'staff' },
			direction: 'entry',
			people: count,
			timeoutMs: undefined,
			screen: { kind: 'granted', direction: 'entry', cls },
		})(state);
	};
}

/** The ledger did not take the order. */
export const entryFailed: Move = inOrder(
	become({ phase: { kind: 'idle' } }),
	say({ kind: 'refused', refusal: { reason: 'ledger_error' } }),
);
