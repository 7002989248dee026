import type { JournalRow } from '../../../gate-agent/core/redemption.ts';
import type { DurableRow } from './ledger-disk.ts';

/** Every journal row that was ever durable on a device's disk, and what became of it. Kept by the world, not by a program. */
export interface RowRegistry {
	/** Takes a row in. Gives the other text that its number already has. */
	add(row: DurableRow): string | undefined;
	/** Rows that are not among `left` are on no disk and at no server any more: no program can bring them back. */
	destroy(left: ReadonlySet<string>): void;
	/** Passages that destroyed rows told of, or may have let happen, by `device/lane/ticket`. */
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
	const ended = new Set<string>();
	const destroyed = new Map<string, number>();
	return {
		destroyed,
		add: (row) => {
			const name = rowName(row);
			const before = rows.get(name);
			if (before !== undefined && before.text !== row.text && !gone.delete(name)) return before.text;
			rows.set(name, row);
			const fact = factOf(row);
			if (fact.kind === 'settled') ended.add(fact.redemption);
			return undefined;
		},
		destroy: (left) => {
			for (const [name, row] of rows) {
				if (left.has(name) || gone.has(name)) continue;
				gone.add(name);
				const fact = factOf(row);
				if (fact.kind !== 'settled' && fact.kind !== 'granted') continue;
				const key = `${row.device}/${fact.lane}/${fact.ticket}`;
				destroyed.set(key, (destroyed.get(key) ?? 0) + passagesOf(fact, ended));
			}
		},
	};
}

/** A grant that nothing has ended yet may have let all of its people through. */
function passagesOf(fact: JournalRow & { kind: 'settled' | 'granted' }, ended: ReadonlySet<string>): number {
	if (fact.kind === 'settled') return fact.taken;
	return ended.has(fact.redemption) ? 0 : Math.max(1, fact.uses);
}

function factOf({ text }: DurableRow): JournalRow {
	// Written by a ledger, and never changed since.
	return JSON.parse(text) as JournalRow;
}
