import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { startEmptyServer } from './empty-server-process.ts';
import { enroll, fetchToken } from './enrolled-device.ts';
import { type Bench, type Figure, percentile } from './figures.ts';
import { createJournalDevice } from './journals.ts';
import { runLoad } from './load.ts';
import { createEvent, type ServerProcess, startServerProcess } from './server-process.ts';
import { event } from './venue.ts';

/** Devices of a large venue, each with one claim on its way. */
const devices = 150;

/** Rounds of a measurement: in each the floor and then the claims, so that a busy machine slows both. */
const rounds = { full: 5, quick: 1 } as const;
const times = { warmupMs: 500, measureMs: 2_000 } as const;

const budgetPerSecond = 5_000;

/** Visitors a second through all gates of a venue in its hardest hour: 50,000 an hour. */
const hardestHour = 14;

/** Rows that share one durable commit of the floor: as many claims as wait together. */
const floorGroup = 100;
const floorMs = 2_000;

/**
 * Claims a second at a server of its own process, durable and over TLS, with 150 devices that each ask again as soon as
 * they are answered. The generator shares the cores with the server. The floors: an empty route under the same load,
 * and plain inserts with a durable commit for as many as wait together.
 */
export const claims: Bench = async ({ dir, quick, say }) => {
	const server = await startServerProcess(join(dir, 'server'));
	try {
		await createEvent(server);
		say(`enrolling ${devices} devices`);
		const tokens: string[] = [];
		for (let at = 0; at < devices; at += 1) tokens.push(await enrollOne(server, `gate-${at + 1}`));
		const claiming = { port: Number(new URL(server.url).port), path: '/v1/claims', cpuSeconds: server.cpuSeconds };
		const empty = await startEmptyServer(join(dir, 'tls'));
		const [floors, pressed]: [Pressed[], Pressed[]] = [[], []];
		const count = quick ? rounds.quick : rounds.full;
		for (let round = 0; round < count; round += 1) {
			say(`round ${round + 1} of ${count}`);
			floors.push(await press(empty, { tokens, firstIdx: 0 }));
			// No round claims a ticket of another: each has a share of the numbers.
			pressed.push(await press(claiming, { tokens, firstIdx: round * Math.floor(event.tickets / count) }));
		}
		await empty.close();
		return figuresOf({ claimed: sum(pressed), empty: sum(floors), inserts: insertsPerSecond(dir) });
	} finally {
		await server.close();
	}
};

async function enrollOne(server: ServerProcess, name: string): Promise<string> {
	const { key } = await createJournalDevice();
	return fetchToken(server, await enroll(server, key, name), key);
}

/** A server under load. */
interface Target {
	readonly port: number;
	readonly path: string;
	cpuSeconds(): number;
}

/** What came of a load, with the CPU seconds that the server used meanwhile. */
interface Pressed {
	readonly seconds: number;
	readonly tookMs: readonly number[];
	readonly generatorCpuSeconds: number;
	readonly serverCpuSeconds: number;
}

async function press(
	{ port, path, cpuSeconds }: Target,
	load: { readonly tokens: readonly string[]; readonly firstIdx: number },
): Promise<Pressed> {
	const cpu: number[] = [];
	const result = await runLoad({ port, path, evt: event.evt, ...load, ...times }, () => void cpu.push(cpuSeconds()));
	const [before = 0, after = 0] = cpu;
	return { ...result, serverCpuSeconds: after - before };
}

function sum(all: readonly Pressed[]): Pressed {
	const total = (of: (each: Pressed) => number) => all.reduce((before, each) => before + of(each), 0);
	return {
		seconds: total(({ seconds }) => seconds),
		tookMs: all.flatMap(({ tookMs }) => tookMs),
		generatorCpuSeconds: total((each) => each.generatorCpuSeconds),
		serverCpuSeconds: total((each) => each.serverCpuSeconds),
	};
}

/** Rows a second that SQLite makes durable in groups, with nothing else to do. */
function insertsPerSecond(dir: string): number {
	const db = new Database(join(dir, 'floor.db'));
	db.pragma('journal_mode = WAL');
	db.pragma('synchronous = FULL');
	db.exec('CREATE TABLE row (id TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID');
	const insert = db.prepare('INSERT INTO row (id, text) VALUES (?, ?)');
	const text = randomBytes(75).toString('hex');
	const group = db.transaction(() => {
		for (let n = 0; n < floorGroup; n += 1) insert.run(randomBytes(16).toString('base64url'), text);
	});
	const startMs = performance.now();
	let groups = 0;
	while (performance.now() - startMs < floorMs) {
		group();
		groups += 1;
	}
	const seconds = (performance.now() - startMs) / 1000;
	db.close();
	return (groups * floorGroup) / seconds;
}

function figuresOf(results: {
	readonly claimed: Pressed;
	readonly empty: Pressed;
	readonly inserts: number;
}): readonly Figure[] {
	const { claimed, empty, inserts } = results;
	const perSecond = ({ tookMs, seconds }: Pressed) => tookMs.length / seconds;
	const perCpuSecond = ({ tookMs, serverCpuSeconds }: Pressed) => tookMs.length / serverCpuSeconds;
	const bench = 'claims';
	const budget = { budget: budgetPerSecond, least: true } as const;
	const { generatorCpuSeconds, serverCpuSeconds, seconds, tookMs } = claimed;
	const ratio = perCpuSecond(empty) / perCpuSecond(claimed);
	return [
		{ bench, what: `claims, ${devices} devices`, value: perSecond(claimed), unit: '1/s', ...budget },
		{ bench, what: 'claims: p50', value: percentile(tookMs, 0.5), unit: 'ms' },
		{ bench, what: 'claims: p99', value: percentile(tookMs, 0.99), unit: 'ms' },
		{ bench, what: 'claims a CPU second of the server', value: perCpuSecond(claimed), unit: '1/s' },
		{ bench, what: 'CPU of the server', value: serverCpuSeconds / seconds, unit: 'cores' },
		{ bench, what: 'CPU of the generator', value: generatorCpuSeconds / seconds, unit: 'cores' },
		{ bench, what: 'hardest hour of a venue', value: hardestHour, unit: '1/s' },
		{ bench, what: 'floor: empty route over TLS', value: perSecond(empty), unit: '1/s' },
		{ bench, what: 'floor: empty route, a CPU second of the server', value: perCpuSecond(empty), unit: '1/s' },
		{ bench, what: `floor: durable inserts in groups of ${floorGroup}`, value: inserts, unit: '1/s' },
		{ bench, what: 'CPU of a claim over that of an empty route', value: ratio, unit: '×' },
	];
}
