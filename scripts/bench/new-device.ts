import { mkdirSync } from 'node:fs';
import { type AddressInfo, connect as connectPlain, createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import pino from 'pino';
import { wholeTicket } from '../../gate-agent/core/allowance.ts';
import { enrollGate } from '../../gate-agent/enroll-gate.ts';
import { centreId } from '../../sync/server/start.ts';
import { openSqliteStore } from '../../sync/server/stores/sqlite.ts';
import { enroll, fetchToken } from './enrolled-device.ts';
import type { Bench, BenchContext, Figure } from './figures.ts';
import { createJournalDevice } from './journals.ts';
import { policy, type ServerProcess, startServerProcess } from './server-process.ts';
import { event } from './venue.ts';

/** How many of the event's tickets are used, and how many revoked. */
interface Sold {
	readonly name: string;
	readonly used: number;
	readonly revoked: number;
	readonly budgetKb: number;
}

const ordinary: Sold = { name: 'ordinary', used: event.redeemed, revoked: event.tickets / 100, budgetKb: 150 };

/** A bitmap is largest where half of it is set. */
const worst: Sold = { name: 'worst', used: event.tickets / 2, revoked: event.tickets / 10, budgetKb: 250 };

const budgetS = 1;

/** Devices of an ordinary event, the first of which meets a server that has made no snapshot yet. */
const devices = { full: 4, quick: 2 } as const;

const silent = pino({ level: 'silent' });

/**
 * A new gate of an event with a million tickets: enrolled, with keys, rules and lists durable in its ledger. The bytes
 * are those of the snapshot and, through a plain relay on TCP, all of the connection. Beside it what the server alone
 * needs for a snapshot.
 */
export const newDevice: Bench = async ({ dir, quick, say }) => {
	const context = { dir, quick, say };
	const atOrdinary = await measure(context, ordinary, quick ? devices.quick : devices.full);
	const atWorst = await measure(context, worst, 1);
	return figuresOf(atOrdinary, atWorst);
};

interface Measured {
	readonly snapshotBytes: number;
	readonly coldS: number;
	readonly cachedS: number;
	/** From the code to the ledger, one for each device. */
	readonly readyS: readonly number[];
	/** All bytes of one device, in both directions. */
	readonly wireBytes: number;
	/** Reading the used tickets with a plain statement. */
	readonly floorS: number;
}

async function measure({ dir, say }: BenchContext, sold: Sold, count: number): Promise<Measured> {
	say(`selling ${event.tickets} tickets, ${sold.used} used, ${sold.revoked} revoked`);
	const data = join(dir, sold.name);
	await sell(data, sold);
	const server = await startServerProcess(data);
	try {
		const { bytes, coldS, cachedS } = await askTwice(server);
		say(`enrolling ${count} gates`);
		const readyS: number[] = [];
		for (let at = 0; at < count; at += 1) {
			readyS.push(
				await enrollOne(server, server.url, { name: `gate-${at}`, data: join(dir, sold.name, `gate-${at}`) }),
			);
		}
		const relay = await startRelay(Number(new URL(server.url).port));
		await enrollOne(server, relay.url, { name: 'counted', data: join(dir, sold.name, 'counted') });
		relay.close();
		const floorS = readPlainly(join(data, 'venue.db'));
		return { snapshotBytes: bytes, coldS, cachedS, readyS, wireBytes: relay.bytes(), floorS };
	} finally {
		await server.close();
	}
}

/** Makes the venue's data as a server would have it after selling, admitting and refunding. */
async function sell(data: string, { used, revoked }: Sold): Promise<void> {
	mkdirSync(data, { recursive: true, mode: 0o700 });
	const path = join(data, 'venue.db');
	const [venue, atMs] = ['venue', Date.now()];
	const store = await openSqliteStore(path);
	await store.createVenue({ id: venue, name: venue, server: centreId, atMs });
	await store.putEvent(venue, { evt: event.evt, policy }, atMs);
	const order = { venue, order: 'all', evt: event.evt, cls: 'adult', count: event.tickets, use: 1, claims: {}, atMs };
	await store.issueOrder(order);
	const numbers = shuffledNumbers();
	const idx = [...numbers.subarray(event.tickets - revoked)];
	await store.refundOrder({ venue, order: order.order, idx, atMs });
	await store.close();
	// Half a million admissions by their journals take a minute; what they leave behind is a row each.
	const db = new Database(path);
	const insert = db.prepare('INSERT INTO rights VALUES (?, ?, ?, ?, 1, 1, 0, 1, ?, ?)');
	db.transaction(() => {
		for (const n of numbers.subarray(0, used)) insert.run(venue, event.evt, n, wholeTicket, 'lane-1', atMs);
	})();
	db.close();
}

/** The event's numbers in an order without any pattern, which a compression would find; the same at each run. */
function shuffledNumbers(): Uint32Array {
	const numbers = Uint32Array.from({ length: event.tickets }, (_, n) => n);
	let state = 1;
	for (let last = numbers.length - 1; last > 0; last -= 1) {
		// Numerical Recipes' generator; its high bits are good enough to shuffle by.
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		const other = Math.floor((state / 2 ** 32) * (last + 1));
		const kept = numbers[last] ?? 0;
		numbers[last] = numbers[other] ?? 0;
		numbers[other] = kept;
	}
	return numbers;
}

/** Asks a server for its first snapshot, and once more for the same. */
async function askTwice(server: ServerProcess): Promise<{ bytes: number; coldS: number; cachedS: number }> {
	const { key } = await createJournalDevice();
	const token = await fetchToken(server, await enroll(server, key, 'asks'), key);
	const headers = { authorization: `Bearer ${token}`, 'accept-encoding': 'gzip' };
	const once = async () => {
		const startedMs = performance.now();
		const { status, body } = await server.client.send({ method: 'GET', path: '/v1/snapshot', headers });
		if (status !== 200) throw new Error(`no snapshot: ${status}`);
		return { bytes: body.length, seconds: (performance.now() - startedMs) / 1000 };
	};
	const [cold, cached] = [await once(), await once()];
	return { bytes: cold.bytes, coldS: cold.seconds, cachedS: cached.seconds };
}

/** From the first byte to the server until the ledger has everything. */
async function enrollOne(
	server: ServerProcess,
	url: string,
	{ name, data }: { readonly name: string; readonly data: string },
): Promise<number> {
	const { code } = await server.office('POST', '/codes', { name });
	const about = { dir: data, name, version: '0.0.0-bench', replace: false, log: silent };
	const startedMs = performance.now();
	const { events } = await enrollGate({ url, fingerprint: server.fingerprint, code: String(code), ...about });
	const seconds = (performance.now() - startedMs) / 1000;
	if (!events?.includes(event.evt)) throw new Error('assertion failed: a new gate knows the event');
	return seconds;
}

/** Passes bytes on and counts them. */
async function startRelay(port: number): Promise<{ url: string; bytes(): number; close(): void }> {
	let bytes = 0;
	const server = createServer((device) => {
		const upstream = connectPlain(port, '127.0.0.1');
		for (const [from, to] of [
			[device, upstream],
			[upstream, device],
		] as const) {
			from.on('data', (chunk: Buffer) => {
				bytes += chunk.length;
				to.write(chunk);
			});
			from.on('error', () => to.destroy()).on('close', () => to.destroy());
		}
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	// A TCP server that listens has an address of this form.
	const { port: own } = server.address() as AddressInfo;
	return { url: `https://127.0.0.1:${own}`, bytes: () => bytes, close: () => server.close() };
}

function readPlainly(path: string): number {
	const db = new Database(path, { readonly: true });
	const startedMs = performance.now();
	const rows = db.prepare('SELECT idx FROM rights WHERE used > 0').raw().all();
	const seconds = (performance.now() - startedMs) / 1000;
	db.close();
	if (rows.length === 0) throw new Error('assertion failed: tickets are used');
	return seconds;
}

function figuresOf(at: Measured, atWorst: Measured): readonly Figure[] {
	const figure = (what: string, value: number, more: Partial<Figure> = {}): Figure => {
		return { bench: 'new-device', what, value, unit: 's', ...more };
	};
	const kb = (bytes: number) => bytes / 1000;
	return [
		figure('snapshot: 20 % used, 1 % revoked', kb(at.snapshotBytes), { unit: 'KB', budget: ordinary.budgetKb }),
		figure('whole connection of a new gate', kb(at.wireBytes), { unit: 'KB', budget: ordinary.budgetKb }),
		figure('snapshot: 50 % used, 10 % revoked', kb(atWorst.snapshotBytes), { unit: 'KB', budget: worst.budgetKb }),
		figure('code to ready, slowest', Math.max(...at.readyS), { budget: budgetS }),
		figure('code to ready, fastest', Math.min(...at.readyS)),
		figure('code to ready, 50 % used', Math.max(...atWorst.readyS)),
		figure('server: first snapshot', at.coldS),
		figure('server: the same again', at.cachedS),
		figure('floor: reading the used tickets plainly', at.floorS),
		figure('server: first snapshot over floor', at.coldS / at.floorS, { unit: '×' }),
	];
}
