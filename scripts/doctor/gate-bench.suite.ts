import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import {
	type LogLine,
	makeKeys,
	type RunningGate,
	startGate,
	temporaryFolder,
	until,
} from '../../gate-agent/acceptance/gate.suite.ts';
import { plugIn } from '../../gate-agent/acceptance/lcus-bench.suite.ts';
import { type GrowGmEmulator, openGrowGmEmulator } from '../../gate-agent/emulators/grow-gm-emulator.ts';
import type { Pty } from '../../gate-agent/emulators/pty.ts';
import { emulateWaveshare, type WaveshareEmulator } from '../../gate-agent/emulators/waveshare-emulator.ts';
import { cliCommand, runCli, spawnToEnd } from '../commands/cli.suite.ts';
import type { DoctorResult } from './doctor.ts';

/** A gate that can be looked at: a Grow module, a Waveshare board with its contacts, its configuration and folders. */
export interface GateBench {
	readonly dir: string;
	readonly data: string;
	readonly keys: string;
	readonly configFile: string;
	readonly port: number;
	readonly scanner: GrowGmEmulator;
	readonly line: Pty;
	readonly board: WaveshareEmulator;
	/** Writes the configuration anew, changed at its top level or at its one lane. */
	configure(change?: Changes): Promise<void>;
	start(): Promise<RunningGate>;
	doctor(...args: readonly string[]): Promise<Examined>;
}

/** Changes to the configuration of the bench; undefined takes a member out. */
export interface Changes {
	readonly gate?: Readonly<Record<string, unknown>>;
	readonly lane?: Readonly<Record<string, unknown>>;
}

/** What the doctor said. */
export interface Examined {
	readonly code: number | null;
	readonly result: DoctorResult;
	/** Codes of faults, in their order. */
	readonly faults: readonly string[];
	readonly warnings: readonly string[];
}

/** Warnings about the machine that the tests run on, whatever gate is looked at. */
export const ofThisMachine: ReadonlySet<string> = new Set([
	...['no_rtc', 'clock_not_synchronized', 'disk_low', 'disk_uneven', 'memory_low', 'service_missing', 'port_daemon'],
]);

const contacts = {
	passage: { channel: 1 },
	reverse: { channel: 2 },
	// A fire loop conducts while all is well.
	fire: { channel: 3, invert: true },
};

/** Sets up a gate that is whole. `baudRate` is the speed that its board listens at. */
export async function setUpGate({ baudRate = 9600 } = {}): Promise<GateBench> {
	const dir = temporaryFolder();
	const [keys, scanner, line, port] = await Promise.all([
		makeKeys(join(dir, 'keys')),
		openGrowGmEmulator(),
		plugIn(),
		freePort(),
	]);
	onTestFinished(() => scanner.close());
	const tuned: Pty = {
		...line,
		onData: (handler) => line.onData((bytes) => line.baudRate() === baudRate && handler(bytes)),
	};
	const board = emulateWaveshare(tuned);
	board.setInput(contacts.fire.channel, true);
	const data = join(dir, 'data');
	await mkdir(data, { mode: 0o700 });
	// A gate holds public keys alone.
	for (const file of await readdir(keys)) if (file.includes('private')) await rm(join(keys, file));
	const configFile = join(dir, 'gate.yaml');
	const configure = async ({ gate = {}, lane = {} }: Changes = {}) => {
		const bus = { path: line.path, baudRate: 9600 };
		const whole = {
			...{ agent: 'gate-1', event: 'lantern-2026', keys, data, http: { port } },
			lanes: [
				{
					id: 'lane-1',
					scanner: { driver: 'grow-gm', path: scanner.path },
					relay: { driver: 'modbus-waveshare', ...bus },
					inputs: { driver: 'modbus-discrete', ...bus, contacts },
					...lane,
				},
			],
			...gate,
		};
		await writeFile(configFile, stringify(JSON.parse(JSON.stringify(whole))));
	};
	await configure();
	return {
		...{ dir, data, keys, configFile, port, scanner, line, board, configure },
		start: async () => {
			const gate = startGate([`http.port=${port}`], { config: configFile });
			await lineOf(gate, 'ready');
			return gate;
		},
		doctor: async (...args) => runDoctor(['--config', configFile, '--root', await machineAround(dir), ...args]),
	};
}

/** The first line of a gate's log of this event and these fields; a busy machine may take its time. */
export function lineOf(
	gate: RunningGate,
	event: string,
	match: Readonly<Record<string, unknown>> = {},
): Promise<LogLine> {
	const isWanted = (line: LogLine) =>
		line.event === event && Object.entries(match).every(([key, value]) => line[key] === value);
	return until(
		() => `${event} in\n${gate.printed().slice(-3000)}`,
		() => gate.lines.find(isWanted),
		logPatienceMs,
	);
}

const logPatienceMs = 90_000;

/** Runs the doctor as a process of its own. `within` is a command that becomes it, `nodeArgs` go before its file. */
export async function runDoctor(
	args: readonly string[],
	{ within = [], nodeArgs = [] }: { readonly within?: readonly string[]; readonly nodeArgs?: readonly string[] } = {},
): Promise<Examined> {
	const command = cliCommand(['doctor', '--json', ...args]);
	const [file = '', ...rest] = [...within, command.file, ...nodeArgs, ...command.args];
	const { code, out, err } =
		within.length + nodeArgs.length === 0
			? await runCli(['doctor', '--json', ...args])
			: await spawnToEnd({ file, args: rest, env: command.env });
	if (code !== 0 && code !== 3) throw new Error(`doctor ended with ${code}: ${err}${out}`);
	const result = JSON.parse(out) as DoctorResult;
	const codes = (state: string) => result.findings.filter((each) => each.state === state).map((each) => each.code);
	return {
		code,
		result,
		faults: codes('fault'),
		warnings: codes('warning').filter((each) => !ofThisMachine.has(each)),
	};
}

/** This machine, without the process of the test. */
export async function machineAround(dir: string): Promise<string> {
	const root = await mkdtemp(join(dir, 'machine-'));
	for (const name of ['sys', 'dev', 'etc']) await symlink(`/${name}`, join(root, name));
	await showProcesses(root);
	return root;
}

/**
 * Shows the processes of this machine in a folder, but for the one of the test: that one plays the devices and holds their
 * far ends, and a real device has no process.
 */
export async function showProcesses(root: string): Promise<void> {
	await mkdir(join(root, 'proc'));
	const shown = (await readdir('/proc')).filter((name) => name !== `${process.pid}`);
	for (const name of shown) await symlink(`/proc/${name}`, join(root, 'proc', name));
}

/** A port of loopback that nobody listens at. */
export function freePort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once('error', reject).listen(0, '127.0.0.1', () => {
			const address = server.address();
			const port = typeof address === 'object' && address !== null ? address.port : 0;
			server.close(() => resolve(port));
		});
	});
}
