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
	stileward,
	temporaryFolder,
	until,
} from '../../gate-agent/acceptance/gate.suite.ts';
import { openHidPosEmulator } from '../../gate-agent/emulators/hid-pos-emulator.ts';
import { openHidRelayEmulator } from '../../gate-agent/emulators/hid-relay-emulator.ts';
import { patienceMs, pullAndReplace, untilReady } from './pulled.suite.ts';

const config = (data: string, keys: string) => `
agent: gate-1
event: lantern-2026
keys: ${keys}
data: ${data}
classes: { adult: {} }
lanes:
  - id: lane-1
    scanner: { model: honeywell-xenon, device: "0c2e:0b61" }
    relay: { model: dcttech-usbrelay, serial: LAB01, pulseMs: 1000 }
`;

/** Uses that are settled. */
function settled({ lines }: RunningGate): number {
	return lines.filter(({ event, outcome }) => event === 'settled' && outcome === 'taken_assumed').length;
}

test('a HID scanner and a HID relay board, pulled in the middle of a scan and of a pulse', {
	timeout: 300_000,
}, async ({ task }) => {
	const dir = temporaryFolder();
	const keys = await makeKeys(join(dir, 'keys'));
	const [first = '', second = '', third = ''] = await issue(keys, ['--first-idx', '0', '--count', '3']);
	const [scanner, board] = [openHidPosEmulator('honeywell'), openHidRelayEmulator({ channels: 2 })];
	onTestFinished(() => {
		scanner.close();
		board.close();
	});
	const file = join(dir, 'gate.yaml');
	const data = join(dir, 'data');
	writeFileSync(file, config(data, keys));
	await sleep(500);
	const seen = (await stileward('devices', 'identify', '--json'))
		.split('\n')
		.filter(Boolean)
		.map((line) => JSON.parse(line));
	expect(seen.map(({ model }) => model)).toEqual(expect.arrayContaining(['honeywell-xenon', 'dcttech-usbrelay']));

	const gate = startGate([], { config: file });
	await untilReady(gate);
	const levels = () => board.edges.map(({ closed }) => closed);

	await scanner.present(first);
	await until('one opening', () => levels().length === 2, patienceMs);
	await until('a beep', () => scanner.beeps.length === 1, patienceMs);
	await scanner.presentPart(second, 1);
	const scannerFigures = await pullAndReplace({
		gate,
		devices: ['lane-1.scanner'],
		unplug: scanner.unplug,
		replug: scanner.replug,
	});
	expect(levels()).toEqual([true, false]);

	await scanner.present(second);
	await until('the pulse', () => board.isClosed(1), patienceMs);
	// A pulse that was not confirmed yet gives its use back.
	await until('its confirmation', () => settled(gate) === 2, patienceMs);
	const relayFigures = await pullAndReplace({
		gate,
		devices: ['lane-1.relay'],
		unplug: board.unplug,
		replug: board.replug,
	});
	expect(levels()).toEqual([true, false, true, false]);
	await sleep(2_000);
	expect(board.isClosed(1)).toBe(false);

	await scanner.present(third);
	await until('one opening', () => levels().length === 6, patienceMs);
	// The scanner holds a code off for a moment.
	await sleep(2_500);
	for (const code of [first, second, third]) {
		const from = gate.lines.length;
		await scanner.present(code);
		await until(
			() => `a refusal after\n${gate.printed().slice(-2_500)}`,
			() => gate.lines.slice(from).find(({ event }) => event === 'denied'),
			20_000,
		);
	}
	expect(levels()).toHaveLength(6);
	await until('bad beeps', () => scanner.beeps.filter((beep) => beep === 'bad').length === 3, patienceMs);
	await gate.stop();
	expect((await listRows(data)).filter(({ kind }) => kind === 'granted')).toHaveLength(3);
	Object.assign(task.meta, {
		figures: {
			sent: '3 tickets, one torn by the unplug, each shown again',
			seen: `3 pulses at the board, 3 refusals, ${scanner.beeps.length} beeps at the scanner`,
			scanner: scannerFigures,
			relay: relayFigures,
		},
	});
});
