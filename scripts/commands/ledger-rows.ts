import type { JournalRow } from '../../gate-agent/core/redemption.ts';

/** The members that every listed row has, null where its kind has none of them. */
export interface ListedRow {
	readonly seq: number;
	readonly kind: JournalRow['kind'];
	readonly ticket: string | null;
	/** Why a scan was denied, or what staff gave as reason for an entry without a ticket. */
	readonly reason: string | null;
	readonly rung: string | null;
	readonly lane: string | null;
	/** ISO 8601 in UTC. */
	readonly at: string;
}

/** A journal row for programs: the fixed members first, then the row's own. */
export function listedRow(row: JournalRow): ListedRow {
	const { seq, kind, at, ...own } = row;
	const fixed = { seq, kind, ticket: null, reason: null, rung: null, lane: null, at: new Date(at).toISOString() };
	return { ...fixed, ...own };
}

/** The columns of a journal row for people. */
export function rowCells(row: JournalRow): readonly string[] {
	const { seq, at, kind, lane, ticket } = listedRow(row);
	return [String(seq), at, kind, lane ?? '-', ticket ?? '-', detail(row)];
}

/** The header of `rowCells`. */
export const rowHeader = ['seq', 'at', 'kind', 'lane', 'ticket', 'what'] as const;

function detail(row: JournalRow): string {
	switch (row.kind) {
		case 'granted':
			return `${row.cls}, ${row.reentry ? 're-entry' : `uses ${row.uses}`}, rung ${row.rung}`;
		case 'settled':
			return `${row.outcome}, ${row.taken} of ${row.of}${row.back > 0 ? `, ${row.back} given back` : ''}${row.late ? ', late' : ''}`;
		case 'denied':
			return row.reason + (row.code ? ` (${row.code.kind})` : '') + (row.count > 1 ? `, ${row.count} times` : '');
		case 'denied_many':
			return Object.entries(row.counts)
				.map(([reason, count]) => `${reason} ${count}`)
				.join(', ');
		case 'exited':
			return row.cls;
		case 'staff_entry':
			return `${row.count} ${row.cls}, by ${row.operator}: ${row.reason}`;
		case 'passages':
			return `${row.count} ${row.direction}, ${row.during}`;
		case 'relay_test':
			return `${row.direction}, by ${row.by}`;
		case 'alarm':
			return `${row.alarm} ${row.on ? 'on' : 'off'}`;
		case 'lane':
			return `${row.mode}${row.emergency ? ', emergency' : ''}, by ${row.by}`;
		case 'released':
			return `claim ${row.redemption} given back`;
		case 'started':
			return `${row.agent} ${row.version}, clock ${row.clock}`;
	}
}
