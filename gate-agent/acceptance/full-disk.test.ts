import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listRows, type RunningGate, startGate, until } from './gate.suite.ts';
import { type Bench, off, on, setUpBench } from './lcus-bench.suite.ts';
import { copyFrom, fillDisk, freeDisk, mayMount, onOwnDisk } from './own-disk.suite.ts';

/** Presents tickets until one is refused for want of space; those before it found room left in a page. */
async function untilRefused({ present, board }: Bench, gate: RunningGate, tickets: string[]): Promise<string> {
	for (let ticket = tickets.shift(); ticket !== undefined; ticket = tickets.shift()) {
		const logged = gate.lines.length;
		const before = board.received.length;
		await present(ticket);
		const { event, reason } = await until('an answer', () =>
			gate.lines.slice(logged).find((line) => line.event === 'granted' || line.event === 'denied'),
		);
		if (event === 'denied') {
			expect(reason).toBe('ledger_error');
			expect(board.received).toHaveLength(before);
			return ticket;
		}
		await until('the coil falls', () => board.received.length === before + 8);
	}
	throw new Error('the disk was never full');
}

it.skipIf(!mayMount)(
	'stays shut while the disk is full, says why, and opens by itself once there is space',
	async () => {
		const bench = await setUpBench();
		const tickets = [...(await bench.issue('--count', '40'))];
		const gate = await bench.start(['lanes.0.holdOffMs=0'], { within: onOwnDisk(bench.data, 'size=2m') });
		expect((await gate.health()).ledger).toMatchObject({ ok: true });
		fillDisk(gate.pid, bench.data);
		const refused = await untilRefused(bench, gate, tickets);
		expect(await gate.line('ledger_failed')).toMatchObject({
			code: 'ledger_full',
			hint: expect.stringContaining('space'),
		});
		expect(await gate.health()).toMatchObject({ ok: false, ledger: { ok: false, problem: 'ledger_full' } });
		expect(await gate.screen()).toMatchObject({ kind: 'refused', refusal: { reason: 'ledger_error' } });

		freeDisk(gate.pid, bench.data);
		const before = bench.board.received.length;
		await bench.present(refused);
		await until('the refused ticket opens', () => bench.bytes(before) === `${on} ${off}`);
		await until('health is well', async () => (await gate.health()).ok === true);
		const rows = await listRows(copyFrom(gate.pid, bench.data, join(bench.dir, 'copy')));
		expect(rows.filter(({ kind }) => kind === 'granted').length).toBe(bench.board.edges.length / 2);
		expect(await gate.stop()).toBe(0);
	},
);

// No space at all, and just enough for an empty ledger: then the first thing that it is to remember does not fit.
it.skipIf(!mayMount).each([0, 96])(
	'starts shut on a disk with %i KB left, and works once there is space',
	async (freeKb) => {
		const bench = await setUpBench();
		const [ticket = ''] = await bench.issue();
		const gate = startGate(bench.sets, { within: onOwnDisk(bench.data, 'size=2m', freeKb) });
		const failed = await gate.line('ledger_failed');
		expect(failed).toMatchObject({ level: 50, code: 'ledger_full', hint: expect.stringContaining('space') });
		expect(await gate.health()).toMatchObject({ ok: false, ledger: { ok: false } });
		expect((await gate.screen()).kind).toBe('out_of_service');

		freeDisk(gate.pid, bench.data);
		await gate.ready();
		await bench.present(ticket);
		await until('the gate opens', () => bench.bytes().endsWith(`${on} ${off}`));
		await until('health is well', async () => (await gate.health()).ok === true);
	},
);
