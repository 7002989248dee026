import { expect, it } from 'vitest';
import { until } from './gate.suite.ts';
import { off, on, setUpBench } from './lcus-bench.suite.ts';

it('says that the scanner is gone, opens it again by itself and loses no earlier scan', async () => {
	const bench = await setUpBench();
	const [first = '', second = ''] = await bench.issue('--count', '2');
	const gate = await bench.start();
	const before = bench.board.received.length;
	await bench.present(first);
	await until('the code was read', async () => /stileward_scans_total\{.*\} 1$/m.test(await gate.metrics()));
	await bench.scanner.unplug();
	await until('the scan before the unplug opens the gate', () => bench.bytes(before) === `${on} ${off}`);
	await gate.line('device', { device: 'lane-1.scanner', state: 'absent' });
	expect(await gate.health()).toMatchObject({
		ok: false,
		lanes: { 'lane-1': { screen: 'out_of_service', missing: ['lane-1.scanner'] } },
	});

	expect(await gate.screen()).toEqual({ kind: 'out_of_service', missing: ['lane-1.scanner'] });

	const logged = gate.lines.length;
	const replugged = performance.now();
	await bench.scanner.replug();
	await gate.line('device', { device: 'lane-1.scanner', state: 'ready' }, logged);
	expect(performance.now() - replugged).toBeLessThan(5_000);
	expect(await gate.health()).toMatchObject({ ok: true });
	const again = bench.board.received.length;
	await bench.present(second);
	await until('the next ticket opens the gate', () => bench.bytes(again).endsWith(`${on} ${off}`));
});

it('closes the lane while the relay is gone, and admits again once it is back', async () => {
	const bench = await setUpBench();
	const [first = '', second = ''] = await bench.issue('--count', '2');
	const gate = await bench.start();
	await bench.relay.unplug();
	await gate.line('device', { device: 'lane-1.relay', state: 'absent' });
	expect(await gate.screen()).toEqual({ kind: 'out_of_service', missing: ['lane-1.relay'] });
	const logged = gate.lines.length;
	await bench.present(first);
	await gate.line('denied', { reason: 'lane_closed' }, logged);

	const replugged = performance.now();
	await bench.relay.replug();
	await gate.line('ready', {}, logged);
	expect(performance.now() - replugged).toBeLessThan(5_000);
	const before = bench.board.received.length;
	await bench.present(second);
	await until('the gate opens', () => bench.bytes(before).endsWith(`${on} ${off}`));
	expect(await bench.rows('granted')).toHaveLength(1);
});
