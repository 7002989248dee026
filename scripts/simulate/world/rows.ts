import type { JournalRow } from '../../../gate-agent/core/redemption.ts';
import type { DurableRow } from './ledger-disk.ts';

/** Every journal row that was ever durable on a device's disk, and what became of it. Kept by the world, not by a program. */
export interface RowRegistry {
	/** Takes a row in. Gives the other text that its number already has. */
	add(row: DurableRow): string | undefined;
	/** Rows that are on no disk and at no server any more: no program can bring them back. */
	destroy(left: ReadonlySet<string>): readonly JournalRow[];
	/** Passages that destroyed rows told of, by `device/lane/ticket`. */
	readonly destroyed: ReadonlyMap<string, number>;
}

/** A row's name. */
export function rowName({ device, epoch, seq }: Pick<DurableRow, 'device' | 'epoch' | 'seq'>): string {
	return `${device} ${epoch} ${seq}`;
}

/** Makes an empty registry. */
export function createRowRegistry(): RowRegistry {
	const rows = new Map<string, DurableRow>();
	const gone = new Set<string>();
	const destroyed = new Map<string, number>();
	return {
		destroyed,
		add: (row) => {
			const before = rows.get(rowName(row));
			if (before !== undefined && before.text !== row.text) {
				// The number stands for another row now; what the first one told may be lost with it.
				if (!gone.has(rowName(row))) return before.text;
				gone.delete(rowName(row));
			}
			rows.set(rowName(row), row);
			return undefined;
		},
		destroy: (left) => {
			const lost: JournalRow[] = [];
			for (const [name, row] of rows) {
				if (left.has(name) || gone.has(name)) continue;
				gone.add(name);
				// Written by a ledger, and never changed since.
				const fact = JSON.parse(row.text) as JournalRow;
				lost.push(fact);
				if (fact.kind !== 'settled' || fact.taken === 0) continue;
				const key = `${row.device}/${fact.lane}/${fact.ticket}`;
				destroyed.set(key, (destroyed.get(key) ?? 0) + fact.taken);
			}
			return lost;
		},
	};
}
