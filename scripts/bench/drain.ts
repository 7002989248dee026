import { join } from 'node:path';
import Database from 'better-sqlite3';
import { wholeTicket } from '../../gate-agent/core/allowance.ts';
import type { Fact, RedemptionId } from '../../gate-agent/core/redemption.ts';
import { ticketId } from '../../gate-agent/core/ticket.ts';
import { createPusher } from '../../sync/client/pusher.ts';
import { createSession } from '../../sync/client/session.ts';
import { createMemoryOutbox, type MemoryOutbox } from '../../sync/client/testing/memory-outbox.ts';
import { createHttpsClient } from '../../sync/node/https-client.ts';
import { createHttpsTransport } from '../../sync/node/https-transport.ts';
import { nodeClock } from '../../sync/node/node-clock.ts';
import { signSegment } from '../../sync/protocol/segment-jws.ts';
import { segmentRowsMax } from '../../sync/protocol/segments.ts';
import { startPostgres } from '../../sync/server/testing/postgres.ts';
import { enroll, newAssertion } from './enrolled-device.ts';
import type { Bench, Figure } from './figures.ts';
import { createJournalDevice } from './journals.ts';
import { createEvent, type ServerProcess, startServerProcess } from './server-process.ts';
import { event, scatteredIdx } from './venue.ts';

/** Rows of a gate that was alone for three days. */
const backlog = { full: 100_000, quick: 5_000 } as const;

const budgetS = 10;

/**
 * A gate that comes back after three days: its journal, signed and pushed by the real pusher over TLS to a server
 * process, until the server has all of it, on both stores. The floor: the same rows in one plain table of SQLite, in
 * durable commits of the same size.
 */
export const drain: Bench = async ({ dir, quick, say }) => {
	const rows = quick ? backlog.quick : backlog.full;
	const floorS = insertSeconds(dir, rows);
	say(`${rows} rows into SQLite`);
	const sqlite = await drainInto(await startServerProcess(join(dir, 'sqlite')), rows);
	say(`${rows} rows into PostgreSQL`);
	const postgres = await startPostgres();
	try {
		const server = await startServerProcess(join(dir, 'postgres'), await postgres.createDatabase());
		return figuresOf({ rows, floorS, sqlite, postgres: await drainInto(server, rows) });
	} finally {
		await postgres.stop();
	}
};

/** How a backlog went away. */
interface Drained {
	readonly seconds: number;
	/** CPU seconds of the gate and of the server. */
	readonly gateCpuS: number;
	readonly serverCpuS: number;
}

async function drainInto(server: ServerProcess, rows: number): Promise<Drained> {
	try {
		await createEvent(server);
		const { key } = await createJournalDevice();
		const enrolled = await enroll(server, key, 'gate-1');
		const outbox = createMemoryOutbox({ device: enrolled.device, epoch: 'bench' });
		writeBacklog(outbox, rows);
		const { url, fingerprint } = server;
		const https = createHttpsClient({ url, fingerprint, trustedNowMs: Date.now });
		const session = createSession({
			transport: createHttpsTransport(https),
			clock: nodeClock,
			server: enrolled.server,
			sign: (challenge) => newAssertion(enrolled, challenge, key),
			onTimeKeys: () => {},
		});
		const sign: Parameters<typeof createPusher>[0]['sign'] = (segment) => signSegment(segment, key);
		const pusher = createPusher({ session, outbox, sign, onConflicts: () => {} });
		const [startedMs, cpu, serverCpu] = [performance.now(), process.cpuUsage(), server.cpuSeconds()];
		for (;;) {
			const pushed = await pusher.push();
			if (pushed.kind === 'idle') break;
			if (pushed.kind !== 'progress') throw new Error(`the push ended as ${pushed.kind}`);
		}
		const seconds = (performance.now() - startedMs) / 1000;
		const { user, system } = process.cpuUsage(cpu);
		https.close();
		if ((await outbox.acceptedThrough()) !== rows)
			throw new Error('assertion failed: the server has the whole journal');
		return { seconds, gateCpuS: (user + system) / 1e6, serverCpuS: server.cpuSeconds() - serverCpu };
	} finally {
		await server.close();
	}
}

/** Admissions that nobody has heard of: two rows for each visitor. */
function writeBacklog(outbox: MemoryOutbox, rows: number): void {
	for (let n = 0; n < rows / 2; n += 1) {
		const redemption = `r${n}`.padEnd(22, '_') as RedemptionId;
		const ticket = ticketId(event.evt, scatteredIdx(n));
		const place = { lane: 'lane-1', zone: 'main' } as const;
		const rights = { allowance: wholeTicket, cls: 'adult', uses: 1, rung: 'local' } as const;
		const facts: Fact[] = [
			{ kind: 'granted', redemption, ticket, ...rights, ...place },
			{ kind: 'settled', redemption, ticket, outcome: 'taken', taken: 1, of: 1, back: 0, lane: 'lane-1' },
		];
		for (const fact of facts) outbox.append(fact, Date.now());
	}
}

function insertSeconds(dir: string, rows: number): number {
	const db = new Database(join(dir, 'floor.db'));
	db.pragma('journal_mode = WAL');
	db.pragma('synchronous = FULL');
	db.exec('CREATE TABLE row (device TEXT, seq INTEGER, text TEXT, PRIMARY KEY (device, seq)) STRICT, WITHOUT ROWID');
	const insert = db.prepare('INSERT INTO row VALUES (?, ?, ?)');
	const text = 'x'.repeat(220);
	const commit = db.transaction((from: number) => {
		for (let seq = from; seq < from + segmentRowsMax; seq += 1) insert.run('gate-1', seq, text);
	});
	const startedMs = performance.now();
	for (let from = 0; from < rows; from += segmentRowsMax) commit(from);
	const seconds = (performance.now() - startedMs) / 1000;
	db.close();
	return seconds;
}

function figuresOf(results: {
	readonly rows: number;
	readonly floorS: number;
	readonly sqlite: Drained;
	readonly postgres: Drained;
}): readonly Figure[] {
	const { rows, floorS, sqlite, postgres } = results;
	const figure = (what: string, value: number, more: Partial<Figure> = {}): Figure => {
		return { bench: 'drain', what, value, unit: 's', ...more };
	};
	return [
		figure(`${rows} rows into SQLite`, sqlite.seconds, { budget: budgetS }),
		figure('CPU of the server', sqlite.serverCpuS),
		figure('CPU of the gate', sqlite.gateCpuS),
		figure(`${rows} rows into PostgreSQL`, postgres.seconds, { budget: budgetS }),
		figure('CPU of the server, without PostgreSQL', postgres.serverCpuS),
		figure('floor: plain inserts into SQLite', floorS),
		figure('SQLite over floor', sqlite.seconds / floorS, { unit: '×' }),
	];
}
