import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { openServerTls } from '../../sync/server/tls/venue-tls.ts';
import { enroll, fetchToken } from './enrolled-device.ts';
import type { Bench, BenchContext, Figure } from './figures.ts';
import { createJournalDevice } from './journals.ts';
import { type LoadResult, runLoad } from './load.ts';
import { cpuSecondsOf } from './process-cpu.ts';
import { createEvent, type ServerProcess, startServerProcess } from './server-process.ts';
import { event } from './venue.ts';

/** Devices of a large venue, each with one claim on its way. */
const devices = 150;

const full = { warmupMs: 2_000, measureMs: 10_000 };
const short = { warmupMs: 500, measureMs: 2_000 };

const budgetPerSecond = 5_000;

/** Visitors a second through all gates of a venue in its hardest hour: 50,000 an hour. */
const hardestHour = 14;

/** Rows that share one durable commit of the floor: as many claims as wait together. */
const floorGroup = 100;
const floorMs = 2_000;

interface Pressed extends LoadResult {
	/** CPU seconds of the server in the measured time. */
	readonly serverCpuSeconds: number;
}

/**
 * Claims a second at a server of its own process, durable and over TLS, with 150 devices that each ask again as soon as
 * they are answered. The generator shares the cores with the server. The floors: an empty route under the same load,
 * and plain inserts with a durable commit for as many as wait together.
 */
export const claims: Bench = async ({ dir, quick, say }) => {
	const times = quick ? short : full;
	const context = { dir, times, say };
	const empty = await pressEmpty(context);
	const inserts = insertsPerSecond(dir);
	const claimed = await pressClaims(context);
	return figuresOf({ claimed, empty, inserts });
};

interface Context extends Pick<BenchContext, 'dir' | 'say'> {
	readonly times: typeof full;
}

async function pressClaims({ dir, times, say }: Context): Promise<Pressed> {
	const server = await startServerProcess(join(dir, 'server'));
	try {
		await createEvent(server);
		say(`enrolling ${devices} devices`);
		const tokens: string[] = [];
		for (let at = 0; at < devices; at += 1) tokens.push(await enrollOne(server, `gate-${at + 1}`));
		say('claiming');
		const plan = { port: Number(new URL(server.url).port), path: '/v1/claims', tokens, evt: event.evt, ...times };
		return await press(plan, server.cpuSeconds);
	} finally {
		await server.close();
	}
}

async function enrollOne(server: ServerProcess, name: string): Promise<string> {
	const { key } = await createJournalDevice();
	return fetchToken(server, await enroll(server, key, name), key);
}

async function pressEmpty({ dir, times, say }: Context): Promise<Pressed> {
	say('asking an empty route');
	const child = fork(fileURLToPath(new URL('./empty-server.ts', import.meta.url)));
	try {
		const { key, cert } = await openServerTls({ dir: join(dir, 'tls'), hosts: ['127.0.0.1'], nowMs: Date.now() });
		child.send({ key, cert });
		const [port] = (await once(child, 'message')) as [number];
		// As long as a real token.
		const tokens = Array.from({ length: devices }, () => randomBytes(180).toString('base64url'));
		return await press({ port, path: '/empty', tokens, evt: event.evt, ...times }, () => cpuSecondsOf(child.pid));
	} finally {
		child.disconnect();
		await once(child, 'exit');
	}
}

async function press(plan: Parameters<typeof runLoad>[0], cpuSeconds: () => number): Promise<Pressed> {
	const cpu: number[] = [];
	const result = await runLoad(plan, () => void cpu.push(cpuSeconds()));
	const [before = 0, after = 0] = cpu;
	return { ...result, serverCpuSeconds: after - before };
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
	const figure = (what: string, value: number, unit: Figure['unit'], more: Partial<Figure> = {}): Figure => {
		return { bench: 'claims', what, value, unit, ...more };
	};
	const perSecond = ({ answers, seconds }: Pressed) => answers / seconds;
	const perCpuSecond = ({ answers, serverCpuSeconds }: Pressed) => answers / serverCpuSeconds;
	return [
		figure(`claims, ${devices} devices`, perSecond(claimed), '1/s', { budget: budgetPerSecond, least: true }),
		figure('claims: p50', claimed.p50Ms, 'ms'),
		figure('claims: p99', claimed.p99Ms, 'ms'),
		figure('claims a CPU second of the server', perCpuSecond(claimed), '1/s'),
		figure('CPU of the generator', claimed.cpuSeconds / claimed.seconds, 'cores'),
		figure('CPU of the server', claimed.serverCpuSeconds / claimed.seconds, 'cores'),
		figure('hardest hour of a venue', hardestHour, '1/s'),
		figure('floor: empty route over TLS', perSecond(empty), '1/s'),
		figure('floor: empty route, a CPU second of the server', perCpuSecond(empty), '1/s'),
		figure(`floor: durable inserts in groups of ${floorGroup}`, inserts, '1/s'),
		figure('CPU of a claim over that of an empty route', perCpuSecond(empty) / perCpuSecond(claimed), '×'),
	];
}
