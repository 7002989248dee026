import { expect, it } from 'vitest';
import { setUpGate } from './gate-bench.suite.ts';

it('a healthy gate has no fault, stopped or running, and stays as it is', { timeout: 300_000 }, async () => {
	const bench = await setUpGate();
	const stopped = await bench.doctor('--devices');
	expect(stopped).toMatchObject({ code: 0, faults: [], warnings: ['gate_stopped'] });
	expect(stopped.result.findings.filter(({ state }) => state === 'ok').map(({ check }) => check)).toEqual(
		expect.arrayContaining([
			'configuration',
			'permissions',
			'devices',
			'ports',
			'scanner',
			'relay',
			'inputs',
			'disk',
			'keys',
		]),
	);
	const gate = await bench.start();
	const running = await bench.doctor('--devices');
	expect(running).toMatchObject({ code: 0, faults: [], warnings: [] });
	expect(running.result.findings.find(({ check }) => check === 'service')?.evidence).toEqual({ pid: gate.pid });
	expect(await gate.health()).toMatchObject({ ok: true });
	// No relay was touched: every coil stayed where it was.
	expect(bench.board.edges).toEqual([]);
});
