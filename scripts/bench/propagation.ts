import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Learned } from '../../gate-agent/core/ledger.ts';
import { createHttpsClient } from '../../sync/node/https-client.ts';
import { startEmptyServer } from './empty-server-process.ts';
import { type Bench, type Figure, percentile } from './figures.ts';
import { openFloor } from './floor.ts';
import { joinGate, ticketsOf } from './joined-gate.ts';
import { createEvent, startServerProcess } from './server-process.ts';

const rounds = { full: 500, quick: 30 } as const;
const warmups = 20;

/** Between two visitors: a venue's hardest hour has 14 a second. */
const betweenMs = 70;

/** How long the second gate may take to hear of an admission at all. */
const heardWithinMs = 10_000;

const budgetP99Ms = 100;

/**
 * From the moment when gate A tells its relay to open, a row durable in its ledger, until gate B has in its own ledger
 * that the ticket is used: both with real ledgers and connections, over a server process with TLS and durable commits.
 * Beside each runs its floor: one request that does nothing and two durable inserts, the server's and the second gate's.
 */
export const propagation: Bench = async ({ dir, quick, say }) => {
	const server = await startServerProcess(join(dir, 'server'));
	try {
		await createEvent(server);
		const count = (quick ? rounds.quick : rounds.full) + warmups;
		say(`issuing ${count} tickets`);
		const tickets = await ticketsOf(join(dir, 'server'), count);
		const heard = createHeard();
		const a = await joinGate(server, { name: 'gate-a', data: join(dir, 'a') });
		const b = await joinGate(server, { name: 'gate-b', data: join(dir, 'b'), onLearned: heard.learned });
		say(`admitting ${count} times at one gate, listening at the other`);
		const floor = await openPropagationFloor(dir);
		const tookMs: number[] = [];
		const floorMs: number[] = [];
		for (const [idx, ticket] of tickets.entries()) {
			const known = heard.of(idx);
			const startedMs = performance.now();
			const openedMs = startedMs + (await a.lane.admit(ticket));
			const took = (await known) - openedMs;
			await sleep(betweenMs);
			const floorTook = await floor.once();
			if (idx < warmups) continue;
			tookMs.push(took);
			floorMs.push(floorTook);
		}
		await floor.close();
		await a.close();
		await b.close();
		return figuresOf(tookMs, floorMs);
	} finally {
		await server.close();
	}
};

/** When a ledger has learned of tickets, by their numbers. */
function createHeard() {
	const waiting = new Map<number, (atMs: number) => void>();
	return {
		learned: (changes: readonly Learned[]) => {
			const atMs = performance.now();
			for (const change of changes) if (change.kind === 'right') waiting.get(change.idx)?.(atMs);
		},
		/** The first time that something of a ticket was learned. */
		of: (idx: number): Promise<number> => {
			const { promise, resolve, reject } = Promise.withResolvers<number>();
			const late = setTimeout(() => reject(new Error(`the other gate heard nothing of ${idx}`)), heardWithinMs);
			waiting.set(idx, (atMs) => {
				clearTimeout(late);
				waiting.delete(idx);
				resolve(atMs);
			});
			return promise;
		},
	};
}

/** The least that must happen between two gates: a request, and a durable row at the server and at the second gate. */
async function openPropagationFloor(dir: string) {
	const server = await startEmptyServer(join(dir, 'tls'));
	const { fingerprint, path } = server;
	const url = `https://127.0.0.1:${server.port}`;
	const client = createHttpsClient({ url, fingerprint, trustedNowMs: Date.now });
	const disk = openFloor(join(dir, 'floor.db'));
	return {
		once: async () => {
			const startedMs = performance.now();
			await client.send({ method: 'POST', path, body: {} });
			disk.once();
			disk.once();
			return performance.now() - startedMs;
		},
		close: async () => {
			client.close();
			disk.close();
			await server.close();
		},
	};
}

function figuresOf(tookMs: readonly number[], floorMs: readonly number[]): readonly Figure[] {
	const figure = (what: string, value: number, more: Partial<Figure> = {}): Figure => {
		return { bench: 'propagation', what, value, unit: 'ms', ...more };
	};
	const [p50, p99] = [percentile(tookMs, 0.5), percentile(tookMs, 0.99)];
	const [floorP50, floorP99] = [percentile(floorMs, 0.5), percentile(floorMs, 0.99)];
	return [
		figure('redemption at one gate known at another, p50', p50),
		figure('redemption at one gate known at another, p99', p99, { budget: budgetP99Ms }),
		figure('floor p50 (a request + two durable inserts)', floorP50),
		figure('floor p99', floorP99),
		figure('p50 over floor', p50 / floorP50, { unit: '×' }),
	];
}
