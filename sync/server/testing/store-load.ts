import { writeSync } from 'node:fs';
import type { Store } from '../store.ts';
import { openPostgresStore } from '../stores/postgres.ts';
import { openSqliteStore } from '../stores/sqlite.ts';
import { claimOf, deviceNamed, evt, journalOf, nowMs, prepareVenue } from './device-journal.ts';

/** One thing that the store has answered for. */
export type Acknowledged =
	| { readonly kind: 'claim'; readonly device: string; readonly redemption: string; idx: number; result: string }
	| { readonly kind: 'segment'; readonly device: string; readonly through: number }
	| { readonly kind: 'order'; readonly order: string; readonly from: number; readonly count: number }
	| { readonly kind: 'entry'; readonly n: number; readonly what: string };

/** The venue of the load. */
export const loadVenue = 'load';

/** Devices that press at once. */
const devices = 4;

/** Opens a store by its address: `postgres://…` or a path. */
export function openStore(address: string): Promise<Store> {
	return address.startsWith('postgres:') ? openPostgresStore(address) : openSqliteStore(address);
}

/**
 * A program that claims, pushes, sells and reads at once, and prints a line of JSON for each answer, until it is killed.
 * Devices claim the same tickets, so that half of the claims are denied. Arguments: address of the store, number of the
 * round, whose devices and tickets are its own.
 */
async function main([address = '', round = '0']: readonly string[]): Promise<void> {
	const store = await openStore(address);
	const names = Array.from({ length: devices }, (_, index) => deviceName(round, index));
	await prepareVenue(store, loadVenue, names);
	const loops = names.map((name) => press(store, deviceNamed(`${loadVenue}/${name}`), Number(round)));
	await Promise.all([...loops, sell(store, round), follow(store)]);
}

function deviceName(round: string, index: number): string {
	return `round-${round}-${index}`;
}

async function press(store: Store, device: string, round: number): Promise<never> {
	const journal = journalOf(loadVenue, device);
	for (let idx = 1_000_000 + round * 100_000; ; idx++) {
		const claim = claimOf(loadVenue, device, { idx });
		const { redemption } = claim.claim;
		const [answer] = await store.claim([claim]);
		say({ kind: 'claim', device, redemption, idx, result: answer?.result ?? 'none' });
		if (answer?.result !== 'granted') continue;
		const from = journal.rows.length + 1;
		journal.admit({ idx, redemption, rung: 'authority', taken: 1 });
		const [outcome] = await store.ingest([journal.segment(from)]);
		say({ kind: 'segment', device, through: outcome?.acceptedThrough ?? 0 });
	}
}

async function sell(store: Store, round: string): Promise<never> {
	for (let number = 0; ; number++) {
		const order = `${round}-${number}`;
		const request = { venue: loadVenue, evt, order, cls: 'adult', count: 3, use: 1, claims: {}, atMs: nowMs };
		const { from, count } = await store.issueOrder(request);
		say({ kind: 'order', order, from, count });
	}
}

async function follow(store: Store): Promise<never> {
	let cursor = { epoch: 1, control: 0, admissions: 0 };
	for (;;) {
		const page = await store.feed(loadVenue, cursor, 500);
		if (page === undefined) throw new Error('the epoch has changed');
		for (const { log, n, change } of page.entries) {
			if (log === 'admissions') say({ kind: 'entry', n, what: `${change.device} ${change.seq}` });
		}
		cursor = page.next;
		// Lets the writers have the one connection of SQLite.
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

function say(acknowledged: Acknowledged): void {
	writeSync(1, `${JSON.stringify(acknowledged)}\n`);
}

if (import.meta.main) await main(process.argv.slice(2));
