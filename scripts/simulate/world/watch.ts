import type { JournalRow } from '../../../gate-agent/core/redemption.ts';
import { ticketId } from '../../../gate-agent/core/ticket.ts';
import type { DurableRow } from './ledger-disk.ts';
import type { Story } from './story.ts';
import { evt } from './tickets.ts';
import type { Visit } from './truth.ts';
import type { Place } from './world.ts';

/** The invariants that the simulator holds, by their names in the design; `bug` is a failed assertion of a program. */
export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I10' | 'rest' | 'bug';

/** Something that must not be. */
export interface Violation {
	readonly invariant: Invariant;
	readonly atMs: number;
	readonly what: string;
}

/** Notes what is found against the invariants. */
export interface Watch {
	found(invariant: Invariant, what: string): void;
	/** A gate has opened: it may only for a genuine ticket, of which a grant is on the disk. */
	pulse(place: Place, visit: Visit): void;
	readonly violations: readonly Violation[];
}

/** Makes a watch. */
export function createWatch(story: Story): Watch {
	const violations: Violation[] = [];
	const found = (invariant: Invariant, what: string) => {
		story.tell('WATCH', `${invariant} is broken: ${what}`);
		violations.push({ invariant, atMs: story.lines.at(-1)?.atMs ?? 0, what });
	};
	return { violations, found, pulse: (place, visit) => judgePulse(place, visit, found) };
}

function judgePulse({ gate }: Place, visit: Visit, found: Watch['found']): void {
	const { ticket, device, lane } = visit;
	if (ticket.flaw !== undefined) found('I1', `${device}/${lane} opened for a ticket that is ${ticket.flaw}`);
	if (visit.knownRevoked) found('I1', `${device}/${lane} opened for ${ticket.name}, which it knew to be revoked`);
	if (ticket.home !== undefined && ticket.home !== device) {
		found('I3', `${device} opened for ${ticket.name}, whose home is ${ticket.home}`);
	}
	if (!hasOpenGrant(gate.disk.rows(), visit)) {
		found('I4', `${device}/${lane} opened for ${ticket.name}, and no open grant of it was on the disk`);
	}
}

/** Whether a journal holds a grant of this ticket at this lane that nothing has ended. */
function hasOpenGrant(rows: readonly DurableRow[], { ticket, lane }: Visit): boolean {
	const open = new Set<string>();
	for (const { text } of rows) {
		// Written by a ledger.
		const row = JSON.parse(text) as JournalRow;
		if (row.kind === 'granted' && row.lane === lane && row.ticket === ticketId(evt, ticket.idx))
			open.add(row.redemption);
		if (row.kind === 'settled') open.delete(row.redemption);
	}
	return open.size > 0;
}
