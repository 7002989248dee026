import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exampleConfig, issue, listRows, makeKeys, startGate, temporaryFolder, until } from './gate.suite.ts';

const scanner = { address: 'c0:00:00:00:00:01', name: 'BS80-0001', batteryPercent: 64 };

/** A lane whose scanner is played by the radio's own process, and everything that the scanner was sent. */
async function setUp(codesOf: (ticket: string) => readonly string[]) {
	const dir = temporaryFolder();
	const keys = await makeKeys(join(dir, 'keys'));
	const [ticket = ''] = await issue(keys, []);
	const [radio, heard, data] = [join(dir, 'radio.json'), join(dir, 'heard'), join(dir, 'data')];
	writeFileSync(radio, JSON.stringify([{ ...scanner, heard, codes: codesOf(ticket), everyMs: 2_500 }]));
	writeFileSync(heard, '');
	const gate = startGate(
		[
			...[`keys=${keys}`, `data=${data}`, `lanes.0.scanner.adapter=replay:${radio}`],
			...['lanes.0.scanner.model=ble-uart', 'lanes.0.scanner.good=hex:01', 'lanes.0.scanner.bad=hex:02'],
		],
		{ config: exampleConfig('bluetooth-handheld') },
	);
	return { gate, data, heard: () => readFileSync(heard, 'utf8').split('\n').slice(0, -1) };
}

it('admits with a Bluetooth scanner alone: no gate, and everybody who is granted has passed', async () => {
	const { gate, data, heard } = await setUp((ticket) => [ticket, ticket, 'https://example.org/not-a-ticket']);
	await gate.ready();
	const devices = (await gate.health()).devices as Record<string, unknown>;
	expect(devices).toEqual({
		'lane-1.scanner': { state: 'ready', address: scanner.address, batteryPercent: scanner.batteryPercent },
	});
	expect(await gate.line('settled')).toMatchObject({ outcome: 'taken_assumed', taken: 1 });
	expect(await gate.line('denied', { reason: 'already_redeemed' })).toMatchObject({ ticketId: 'lantern-2026/0' });
	await gate.line('denied', { reason: 'not_a_ticket' });
	await until('three verdicts at the scanner', () => heard().length === 3);
	expect(heard()).toEqual(['01', '02', '02']);
	expect(await gate.lane()).toMatchObject({ phase: 'idle', alarms: [], missing: [] });
	expect(await gate.stop()).toBe(0);
	const rows = (await listRows(data)).filter(({ kind }) => kind === 'granted' || kind === 'settled');
	expect(rows.map(({ kind, ticket }) => [kind, ticket])).toEqual([
		['granted', 'lantern-2026/0'],
		['settled', 'lantern-2026/0'],
	]);
}, 60_000);

it('opens its scanner again when the process of the radio was killed', async () => {
	const { gate } = await setUp((ticket) => [ticket]);
	await gate.ready();
	const children = readFileSync(`/proc/${gate.pid}/task/${gate.pid}/children`, 'utf8').trim().split(' ');
	const radio = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('ble-process'));
	const logged = gate.lines.length;
	process.kill(Number(radio), 'SIGKILL');
	await gate.line('device', { device: 'lane-1.scanner', state: 'absent' }, logged);
	await gate.line('device', { device: 'lane-1.scanner', state: 'ready' }, logged);
	await gate.line('granted', {}, logged);
}, 60_000);
