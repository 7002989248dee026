import { deleteDB } from 'idb';
import { holdLedger, type LedgerHold } from '../hold.ts';
import { openIndexedDbLedger } from '../indexeddb-ledger.ts';
import type { IndexedDbLedger, IndexedDbLedgerOptions } from '../ledger-in-browser.ts';

/** A ledger of a test, and what it logged. */
export interface OpenedForTest {
	readonly ledger: IndexedDbLedger;
	readonly hold: LedgerHold;
	readonly setAside?: string;
	readonly log: readonly string[];
}

/** A name that no other test uses. */
export function freshName(): string {
	return `ledger-${crypto.randomUUID()}`;
}

/** Opens a ledger under a hold of its own. */
export async function openForTest(
	name: string = freshName(),
	more: Partial<IndexedDbLedgerOptions> = {},
): Promise<OpenedForTest> {
	const answer = await holdLedger(name);
	if (answer.kind === 'in_use') throw new Error(`${name} is in use`);
	const log: string[] = [];
	const opened = await openIndexedDbLedger({
		...{ hold: answer.hold, device: 'handheld-1', newEpoch: () => `epoch-${crypto.randomUUID()}`, nowMs: () => 0 },
		log: (event) => log.push(event),
		...more,
	});
	return { ...opened, hold: answer.hold, log };
}

/** Deletes the databases of all ledgers that are closed by now. */
export async function dropLedgers(): Promise<void> {
	const names = (await indexedDB.databases()).flatMap(({ name }) => name ?? []);
	await Promise.all(names.map((name) => deleteDB(name)));
}
