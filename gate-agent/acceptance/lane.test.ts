import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { off, on, setUpBench, startGate, stileward, until } from './gate.suite.ts';

it('opens for a signed ticket exactly once, also after kill -9', async () => {
	const bench = await setUpBench();
	const [ticket] = bench.issue();
	let gate = startGate(bench.sets);
	await gate.line('ready', { ready: true });
	const before = bench.board.received.length;

	await bench.scanner.write(`${ticket}\r`);
	await until('the coil falls', () => bench.bytes(before) === `${on} ${off}`);
	const [pulse, end] = [bench.board.received[before], bench.board.received[before + 4]];
	const pulseMs = Number(end?.atMs) - Number(pulse?.atMs);
	expect(pulseMs).toBeGreaterThan(240);
	expect(pulseMs).toBeLessThan(360);

	await sleep(2_000);
	const logged = gate.lines.length;
	await bench.scanner.write(`${ticket}\r`);
	await gate.line('denied', { reason: 'already_redeemed' }, logged);
	await until('its row', () => bench.rows().some(({ kind }) => kind === 'denied'));
	const rows = bench.rows().filter(({ kind }) => kind === 'granted' || kind === 'denied');
	expect(rows).toMatchObject([
		{ kind: 'granted', ticket: 'lantern-2026/0', rung: 'local', lane: 'lane-1' },
		{ kind: 'denied', reason: 'already_redeemed', ticket: 'lantern-2026/0', lane: 'lane-1' },
	]);

	await gate.kill();
	gate = startGate(bench.sets);
	await gate.line('ready');
	const restarted = bench.board.received.length;
	await bench.scanner.write(`${ticket}\r`);
	await gate.line('denied', { reason: 'already_redeemed' });
	expect(bench.bytes(restarted)).toBe('');
	expect(await gate.stop()).toBe(0);
	expect(stileward('ledger', 'verify', '--data', bench.data)).not.toBe('');
});

it('shuts the gate within a second when the agent is killed in the middle of a pulse', async () => {
	const bench = await setUpBench();
	const [ticket] = bench.issue();
	const gate = startGate([...bench.sets, 'lanes.0.relay.pulseMs=5000']);
	await gate.line('ready');
	const before = bench.board.received.length;
	await bench.scanner.write(`${ticket}\r`);
	await until('the coil closes', () => bench.bytes(before) === on);
	await sleep(50);
	const killedMs = performance.now();
	await gate.kill();
	await until('the coil falls', () => bench.bytes(before) === `${on} ${off}`, 1_000);
	expect(performance.now() - killedMs).toBeLessThan(1_000);

	const next = startGate(bench.sets);
	await next.line('ready');
	const settled = await until('the open grant settles', () => bench.rows().find(({ kind }) => kind === 'settled'));
	expect(settled).toMatchObject({ outcome: 'taken_assumed', ticket: 'lantern-2026/0' });
});
