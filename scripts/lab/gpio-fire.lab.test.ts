import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import {
	issue,
	listRows,
	makeKeys,
	type RunningGate,
	startGate,
	temporaryFolder,
	until,
} from '../../gate-agent/acceptance/gate.suite.ts';
import { type Cp2112Emulator, openCp2112Emulator } from '../../gate-agent/emulators/cp2112-emulator.ts';
import { openPty } from '../../gate-agent/emulators/pty.ts';
import { chipIsThere, labChip } from '../../gate-agent/ioctl/gpio-chip.suite.ts';
import { patienceMs, pullAndReplace, untilReady } from './pulled.suite.ts';

/** Lines of the chip. */
const line = { gate: 0, passage: 3, fire: 4, reset: 5 } as const;

const config = (data: string, keys: string, scanner: string) => `
agent: gate-1
event: lantern-2026
keys: ${keys}
data: ${data}
classes: { adult: {} }
lanes:
  - id: lane-1
    passageTimeoutMs: 4000
    scanner: { driver: serial-line, path: ${scanner} }
    relay: { driver: gpio, chip: ${labChip}, lines: [${line.gate}], pulseMs: 1500 }
    inputs:
      driver: gpio
      chip: ${labChip}
      contacts:
        passage: { line: ${line.passage} }
        fire: { line: ${line.fire} }
        emergency_reset: { line: ${line.reset} }
`;

interface Bench {
	readonly board: Cp2112Emulator;
	readonly tickets: readonly string[];
	readonly data: string;
	start(): Promise<RunningGate>;
	present(code: string): Promise<void>;
	/** What the gate's line did since then, as levels. */
	levels(): readonly boolean[];
}

async function setUp(): Promise<Bench> {
	const dir = temporaryFolder();
	const keys = await makeKeys(join(dir, 'keys'));
	const tickets = await issue(keys, ['--first-idx', '0', '--count', '5']);
	const pty = await openPty();
	const board = openCp2112Emulator();
	onTestFinished(async () => {
		board.close();
		await pty.close();
	});
	await chipIsThere();
	const data = join(dir, 'data');
	const file = join(dir, 'gate.yaml');
	writeFileSync(file, config(data, keys, pty.path));
	return {
		...{ board, tickets, data },
		start: async () => {
			const gate = startGate([], { config: file });
			await untilReady(gate);
			return gate;
		},
		present: (code) => pty.write(`${code}\r`),
		levels: () => board.edges.filter((edge) => edge.line === line.gate).map(({ high }) => high),
	};
}

/** A contact that a person or a panel works. */
async function press({ board }: Bench, which: keyof typeof line): Promise<void> {
	board.setInput(line[which], true);
	await sleep(800);
	board.setInput(line[which], false);
	await sleep(800);
}

async function rowsOf({ data }: Bench, ...kinds: readonly string[]) {
	return (await listRows(data)).filter(({ kind }) => kinds.includes(kind));
}

test('a fire during a pulse, with the agent dead, and during the start', { timeout: 300_000 }, async ({ task }) => {
	const bench = await setUp();
	const { board, tickets } = bench;
	const [first = '', second = '', third = ''] = tickets;
	let gate = await bench.start();

	// A visitor, as on any day.
	await bench.present(first);
	await until('the pulse', () => board.isHigh(line.gate), patienceMs);
	await press(bench, 'passage');
	await until(
		'the passage',
		async () => (await rowsOf(bench, 'settled')).some(({ outcome }) => outcome === 'taken'),
		patienceMs,
	);
	await until('the end of the pulse', () => !board.isHigh(line.gate), patienceMs);

	// A fire while the pulse of the next one runs: the gate stays open, and the use goes back.
	await bench.present(second);
	await until('the pulse', () => board.isHigh(line.gate), patienceMs);
	board.setInput(line.fire, true);
	await until('the emergency', async () => (await gate.lane()).emergency === true, patienceMs);
	await sleep(3_000);
	expect(board.isHigh(line.gate)).toBe(true);
	await until(
		'the use given back',
		async () => (await rowsOf(bench, 'settled')).some(({ outcome }) => outcome === 'not_taken'),
		patienceMs,
	);

	// The agent dies: the gate stays open, for its watchdog keeps it so.
	const edges = bench.levels().length;
	await gate.kill();
	await sleep(2_000);
	expect(board.isHigh(line.gate)).toBe(true);

	// It starts again while the fire is on: nothing moves, and nobody's ticket is used.
	gate = await bench.start();
	await bench.present(third);
	await sleep(2_000);
	expect(board.isHigh(line.gate)).toBe(true);
	expect(bench.levels().slice(edges)).toEqual([]);
	expect(await rowsOf(bench, 'granted')).toHaveLength(2);

	// The fire is over: still open, until somebody on site says so.
	board.setInput(line.fire, false);
	await sleep(2_000);
	expect(board.isHigh(line.gate)).toBe(true);
	await press(bench, 'reset');
	await until('the end of the emergency', () => !board.isHigh(line.gate), patienceMs);

	// The ticket whose use went back is good.
	await bench.present(second);
	await until('the pulse', () => board.isHigh(line.gate), patienceMs);
	await press(bench, 'passage');
	await until('the end of the pulse', () => !board.isHigh(line.gate), patienceMs);
	const plug = await pullAndReplace({
		gate,
		devices: ['lane-1.relay', 'lane-1.inputs'],
		unplug: board.unplug,
		replug: board.replug,
	});
	expect(board.isHigh(line.gate)).toBe(false);
	await gate.stop();
	const taken = (await rowsOf(bench, 'settled')).filter(({ outcome }) => outcome === 'taken');
	expect(taken).toHaveLength(2);
	Object.assign(task.meta, {
		figures: {
			sent: '3 tickets, 1 fire, kill -9, a reset on site',
			seen: 'open from the fire to the reset without a gap; 2 uses, both by people who went in without a fire',
			chip: plug,
		},
	});
});
