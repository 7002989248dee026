import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Store } from './store.ts';
import { claimOf, evt, nowMs } from './testing/device-journal.ts';
import { type Acknowledged, loadVenue } from './testing/store-load.ts';

/** A load that runs in a process of its own. */
export interface Load {
	readonly acknowledged: readonly Acknowledged[];
	/** Resolves once this many answers of each kind have come; rejects when the load ends before. */
	until(each: number): Promise<void>;
	/** Ends it with SIGKILL, unless it is over. */
	kill(): Promise<void>;
}

const kinds = ['claim', 'segment', 'order', 'entry'] as const;

/** Starts a load on a store. */
export function startLoad(address: string, round: number): Load {
	const program = fileURLToPath(new URL('testing/store-load.ts', import.meta.url));
	const child = spawn(process.execPath, [program, address, String(round)], { stdio: ['ignore', 'pipe', 'pipe'] });
	const acknowledged: Acknowledged[] = [];
	let said = '';
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		said += text;
	});
	createInterface({ input: child.stdout }).on('line', (line) => {
		// The last line may be torn by the kill; every whole one was written by `store-load.ts`.
		if (line.endsWith('}')) acknowledged.push(JSON.parse(line) as Acknowledged);
	});
	const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
	const enough = (each: number) =>
		kinds.every((kind) => acknowledged.filter((answer) => answer.kind === kind).length >= each);
	return {
		acknowledged,
		until: async (each) => {
			const deadline = Date.now() + 30_000;
			while (!enough(each)) {
				if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the load ended: ${said}`);
				await new Promise((resolve) => setTimeout(resolve, 5));
			}
		},
		kill: async () => {
			child.kill('SIGKILL');
			await ended;
		},
	};
}

/** Every answer that was given before crashes holds after them, and every number was given once. */
export async function expectKept(store: Store, acknowledged: readonly Acknowledged[]): Promise<void> {
	const log = await readLog(store);
	const written = [...log.values()];
	expect(new Set(written).size).toBe(written.length);
	const accepted = new Map(
		(await store.devices(loadVenue)).map(({ device, acceptedThrough }) => [device, acceptedThrough]),
	);
	for (const answer of acknowledged) {
		if (answer.kind === 'entry') expect(log.get(answer.n)).toBe(answer.what);
		if (answer.kind === 'segment') expect(accepted.get(answer.device)).toBeGreaterThanOrEqual(answer.through);
	}
	await expectClaims(store, acknowledged);
	await expectOrders(store, acknowledged);
	expect(await store.cases(loadVenue)).toEqual([]);
}

async function expectClaims(store: Store, acknowledged: readonly Acknowledged[]): Promise<void> {
	const claims = acknowledged.filter((answer) => answer.kind === 'claim');
	const again = claims.map(({ device, idx, redemption }) => claimOf(loadVenue, device, { idx, redemption }));
	expect((await store.claim(again)).map(({ result }) => result)).toEqual(claims.map(({ result }) => result));
	const granted = claims.filter(({ result }) => result === 'granted').map(({ idx }) => idx);
	expect(new Set(granted).size).toBe(granted.length);
}

async function expectOrders(store: Store, acknowledged: readonly Acknowledged[]): Promise<void> {
	const numbers = new Set<number>();
	const orders = acknowledged.filter((answer) => answer.kind === 'order');
	for (const { order, from, count } of orders) {
		expect(await store.order(loadVenue, order)).toMatchObject({ from, count });
		for (let idx = from; idx < from + count; idx++) numbers.add(idx);
	}
	expect(numbers.size).toBe(orders.reduce((sum, { count }) => sum + count, 0));
	const request = { venue: loadVenue, evt, order: `after-${orders.length}`, cls: 'adult', use: 1, claims: {} };
	const { from } = await store.issueOrder({ ...request, count: 1, atMs: nowMs });
	expect(numbers.has(from)).toBe(false);
}

/** The whole admissions log, number by number. */
async function readLog(store: Store): Promise<ReadonlyMap<number, string>> {
	const log = new Map<number, string>();
	let cursor = { epoch: 1, control: 0, admissions: 0 };
	for (;;) {
		const page = await store.feed(loadVenue, cursor, 1_000);
		if (page === undefined || page.entries.length === 0) break;
		for (const { log: name, n, change } of page.entries) {
			if (name !== 'admissions') continue;
			expect(n).toBe(log.size + 1);
			log.set(n, `${change.device} ${change.seq}`);
		}
		cursor = page.next;
	}
	expect(await store.head(loadVenue)).toMatchObject({ admissions: log.size });
	return log;
}
