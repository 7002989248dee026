import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { emulateLcus, type LcusEmulator } from '../emulators/lcus-emulator.ts';
import { openPty, type Pty } from '../emulators/pty.ts';
import {
	issue,
	type LedgerRow,
	listRows,
	makeKeys,
	type RunningGate,
	type StartOptions,
	startGate,
	temporaryFolder,
	until,
} from './gate.suite.ts';

/** A lane on a bench: ptys for scanner and relay, keys, a data folder, and the settings that join them. */
export interface Bench {
	readonly dir: string;
	readonly keys: string;
	readonly data: string;
	readonly scanner: Pty;
	readonly relay: Pty;
	readonly board: LcusEmulator;
	readonly sets: readonly string[];
	issue(...args: readonly string[]): Promise<readonly string[]>;
	rows(...kinds: readonly string[]): Promise<readonly LedgerRow[]>;
	/** Bytes that reached the board, from the n-th on, as hexadecimal text. */
	bytes(from?: number): string;
	present(code: string): Promise<void>;
	/** Starts the example's agent with more settings, and waits until it is ready and its board has its first order. */
	start(sets?: readonly string[], options?: StartOptions): Promise<RunningGate>;
}

/** A pty that is closed after the test. */
export async function plugIn(): Promise<Pty> {
	const pty = await openPty();
	onTestFinished(() => pty.close());
	return pty;
}

/** Sets up keys, ptys and an emulated LCUS board. */
export async function setUpBench({ channels = 1 } = {}): Promise<Bench> {
	const dir = temporaryFolder();
	const [keys, scanner, relay] = await Promise.all([makeKeys(join(dir, 'keys')), plugIn(), plugIn()]);
	const board = emulateLcus(relay, { channels });
	const data = join(dir, 'data');
	const sets = [
		...[`keys=${keys}`, `data=${data}`],
		...[`lanes.0.scanner.path=${scanner.path}`, `lanes.0.relay.path=${relay.path}`],
	];
	return {
		...{ dir, keys, data, scanner, relay, board, sets },
		start: async (more = [], options = {}) => {
			const before = board.received.length;
			const gate = startGate([...sets, ...more], options);
			await gate.ready();
			// A pty hands bytes over in its own time, so the log may be read sooner.
			await until('the order that begins each life', () => board.received.length >= before + off.split(' ').length);
			return gate;
		},
		issue: (...args) => issue(keys, args),
		rows: async (...kinds) => (await listRows(data)).filter(({ kind }) => kinds.length === 0 || kinds.includes(kind)),
		bytes: (from = 0) =>
			board.received
				.slice(from)
				.map(({ byte }) => byte.toString(16).padStart(2, '0').toUpperCase())
				.join(' '),
		present: (code) => scanner.write(`${code}\r`),
	};
}

export const on = 'A0 01 01 A2';
export const off = 'A0 01 00 A1';
