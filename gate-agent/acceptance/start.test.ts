import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startGate, until } from './gate.suite.ts';
import { setUpBench } from './lcus-bench.suite.ts';
import { mayMount, onOwnDisk } from './own-disk.suite.ts';

/** Starts a gate that cannot begin; gives its exit code and what it printed. */
async function failedStart(sets: readonly string[], within?: readonly string[]) {
	const gate = startGate(sets, within ? { within } : {});
	const code = await gate.ended();
	return { code, printed: gate.printed() };
}

it('ends at once with the reason where it cannot begin, so that its service manager notices', async () => {
	const bench = await setUpBench();
	const file = join(bench.dir, 'file');
	writeFileSync(file, '');
	const cases = [
		['keys_missing', `keys=${join(bench.dir, 'nowhere')}`],
		['ledger_io', `data=${file}`],
		['ledger_io', 'data=/proc/nowhere/data'],
		['config_invalid', 'lanes.0.relay.channel=99'],
	] as const;
	for (const [reason, wrong] of cases) {
		const { code, printed } = await failedStart([...bench.sets, wrong]);
		expect([reason, code]).toEqual([reason, 1]);
		expect(printed).toMatch(new RegExp(`error: [^]*\\n {2}hint: .*\\[${reason}\\]$`, 'm'));
	}
	expect(bench.board.received).toEqual([]);
});

it('ends with ledger_busy beside another agent on the same data folder, which goes on', async () => {
	const bench = await setUpBench();
	const [ticket = ''] = await bench.issue();
	await bench.start();
	const second = await failedStart(bench.sets);
	expect(second.code).toBe(1);
	expect(second.printed).toMatch(/error: another agent uses the data folder .*\n {2}hint: .*\[ledger_busy\]$/m);
	await bench.present(ticket);
	await until('the first one opens', () => bench.board.isClosed(1));
});

it.skipIf(!mayMount)('ends with ledger_io where the data folder cannot be written', async () => {
	const bench = await setUpBench();
	const { code, printed } = await failedStart(bench.sets, onOwnDisk(bench.data, 'ro'));
	expect(code).toBe(1);
	expect(printed).toMatch(/error: the ledger cannot be read or written in .*\n {2}hint: .*\[ledger_io\]$/m);
});

it('ends with 2 for a wrong command line', async () => {
	const { code, printed } = await failedStart(['nothing']);
	expect(code).toBe(2);
	expect(printed).toContain('[usage]');
});
