import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Pty } from '../emulators/pty.ts';
import { startGate, until } from './gate.suite.ts';
import { type Bench, plugIn, setUpBench } from './lcus-bench.suite.ts';

/** One board of two channels and a scanner for each. */
function twoLanes({ dir, keys, data, relay, scanner }: Bench, second: Pty): string {
	const lane = (id: number, path: string) => `
  - id: lane-${id}
    scanner: { driver: serial-line, path: ${path}, suffix: cr }
    relay: { driver: serial-lcus, path: ${relay.path}, channels: 2, channel: ${id} }`;
	const config = join(dir, 'gate.yaml');
	const lanes = `${lane(1, scanner.path)}${lane(2, second.path)}`;
	writeFileSync(config, `event: lantern-2026\nkeys: ${keys}\ndata: ${data}\nlanes:${lanes}\n`);
	return config;
}

it('opens one of two lanes for a ticket that is presented at both at once', async () => {
	const bench = await setUpBench({ channels: 2 });
	const second = await plugIn();
	const tickets = await bench.issue('--count', '5');
	const gate = startGate([], { config: twoLanes(bench, second) });
	await gate.ready();
	const opened = () => bench.board.edges.filter(({ closed }) => closed).length;
	for (const [index, ticket] of tickets.entries()) {
		const logged = gate.lines.length;
		await Promise.all([bench.present(ticket), second.write(`${ticket}\r`)]);
		await gate.line('granted', {}, logged);
		const { reason } = await gate.line('denied', {}, logged);
		expect(['in_progress', 'already_redeemed']).toContain(reason);
		await until('both coils at rest', () => !bench.board.isClosed(1) && !bench.board.isClosed(2) && opened() > index);
		expect(opened()).toBe(index + 1);
	}
	expect(await bench.rows('granted')).toHaveLength(tickets.length);
});

it('keeps one lane open while the scanner of the other is gone', async () => {
	const bench = await setUpBench({ channels: 2 });
	const second = await plugIn();
	const [ticket = '', other = ''] = await bench.issue('--count', '2');
	const gate = startGate([], { config: twoLanes(bench, second) });
	await gate.ready();
	await second.unplug();
	await gate.line('device', { device: 'lane-2.scanner', state: 'absent' });
	expect(await gate.lane('lane-2')).toMatchObject({ screen: 'out_of_service', missing: ['lane-2.scanner'] });
	expect(await gate.lane('lane-1')).toMatchObject({ screen: 'idle' });
	await bench.present(ticket);
	await until('lane 1 opens', () => bench.board.isClosed(1));
	await second.replug();
	await gate.line('ready', {}, gate.lines.length);
	await second.write(`${other}\r`);
	await until('lane 2 opens', () => bench.board.isClosed(2));
});
