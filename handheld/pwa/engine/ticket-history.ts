import type { Ledger } from '../../../gate-agent/core/ledger.ts';
import type { JournalRow } from '../../../gate-agent/core/redemption.ts';
import { ticketId } from '../../../gate-agent/core/ticket.ts';
import type { TicketHistory, TicketUse } from './handheld.ts';

/** Which ticket, and what uses of this device are called. */
export interface OwnHistoryOf {
	readonly evt: string;
	readonly idx: number;
	/** The name of this device. */
	readonly device: string;
	readonly revoked: boolean;
}

const rowsAtOnce = 1_000;
const usesMax = 50;

/** What this device's own journal says of a ticket, newest use first. Rejects where the ledger cannot be read. */
export async function ownHistory(ledger: Ledger, of: OwnHistoryOf): Promise<TicketHistory> {
	const { evt, idx, device, revoked } = of;
	const uses = new Map<string, TicketUse>();
	for (let after = 0; ; after += rowsAtOnce) {
		const rows = await ledger.rows(after, rowsAtOnce);
		for (const row of rows) if ('ticket' in row && row.ticket === ticketId(evt, idx)) take(uses, row, device);
		if (rows.length < rowsAtOnce) break;
	}
	return { evt, idx, revoked, uses: [...uses.values()].reverse().slice(0, usesMax), complete: false };
}

function take(uses: Map<string, TicketUse>, row: JournalRow, device: string): void {
	if (row.kind === 'granted') {
		const { lane, at: atMs, rung, by, reason } = row;
		const said = { ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) };
		uses.set(row.redemption, { device, lane, atMs, rung, outcome: 'open', taken: 0, ...said });
	}
	const use = row.kind === 'settled' ? uses.get(row.redemption) : undefined;
	if (row.kind !== 'settled' || use === undefined) return;
	const taken = use.taken + row.taken;
	uses.set(row.redemption, { ...use, taken, outcome: taken > 0 ? 'taken' : 'not_taken' });
}
