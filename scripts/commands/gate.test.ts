import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCli, startCli, temporaryFolder } from './cli.suite.ts';

const example = fileURLToPath(new URL('../../device-configs/gates/serial-lcus.yaml', import.meta.url));

/** A lane without hardware: a file of codes for a scanner, a relay that only counts. */
const simulated = `
event: opera
lanes:
  - id: lane-1
    scanner: { driver: replay, path: codes.txt, intervalMs: 300 }
    relay: { driver: simulated }
    holdOffMs: 100
http: { enabled: false }
`;

const adult = ['--class', 'adult', '--from', '2026-01-01T00:00Z', '--until', '2099-01-01T00:00Z'];

/** A folder with keys, a configuration and a file that presents three tickets and then the first one again. */
async function simulatedGate(dir: string): Promise<readonly string[]> {
	const at = (name: string): string => join(dir, name);
	expect((await runCli(['keys', 'init', '--dir', at('keys')])).code).toBe(0);
	const issued = await runCli(['ticket', 'issue', '--keys', at('keys'), '--event', 'opera', ...adult, '--count', '3']);
	await writeFile(at('codes.txt'), `${issued.out}${issued.out.split('\n')[0]}\n`);
	await writeFile(at('gate.yaml'), simulated);
	const sets = [`keys=${at('keys')}`, `data=${at('data')}`, `lanes.0.scanner.path=${at('codes.txt')}`];
	return ['gate', 'run', '--config', at('gate.yaml'), ...sets.flatMap((set) => ['--set', set])];
}

async function listed(dir: string): Promise<readonly string[]> {
	const { out } = await runCli(['ledger', 'list', '--data', join(dir, 'data'), '--json']);
	const rows = out.split('\n').filter((line) => line !== '');
	return rows
		.map((row) => JSON.parse(row))
		.filter(({ kind }) => kind === 'granted' || kind === 'denied')
		.map(({ kind, ticket, reason }) => `${kind} ${ticket} ${reason}`);
}

async function stop(gate: ChildProcess): Promise<number | null> {
	const closed = once(gate, 'close');
	gate.kill('SIGTERM');
	const [code] = await closed;
	return code;
}

describe('stileward gate', () => {
	it('runs a lane until it is told to end, also when nobody reads its log any more', async () => {
		await using folder = await temporaryFolder();
		const gate = startCli(await simulatedGate(folder.path));
		try {
			const [first] = await once(gate.stdout?.setEncoding('utf8') ?? gate, 'data');
			expect(JSON.parse(first.split('\n')[0])).toMatchObject({ pid: gate.pid });
			gate.stdout?.destroy();
			const expected = [
				'granted opera/0 null',
				'granted opera/1 null',
				'granted opera/2 null',
				'denied opera/0 already_redeemed',
			];
			await expect.poll(() => listed(folder.path), { timeout: 15_000, interval: 300 }).toEqual(expected);
			expect(gate.exitCode).toBeNull();
		} finally {
			expect(await stop(gate)).toBe(0);
		}
	});

	it('closes in order when the signal to stop comes twice, as npm passes on a Ctrl+C', async () => {
		await using folder = await temporaryFolder();
		const gate = startCli(await simulatedGate(folder.path));
		let log = '';
		gate.stdout?.setEncoding('utf8').on('data', (text: string) => {
			log += text;
		});
		await expect.poll(() => log, { timeout: 15_000, interval: 50 }).toContain('"ready":true');
		const closed = once(gate, 'close');
		gate.kill('SIGINT');
		gate.kill('SIGINT');
		expect(await closed).toEqual([0, null]);
		expect(log).toContain('"event":"stopped"');
	});

	it('ends with 1 and the reason when it cannot begin', async () => {
		await using folder = await temporaryFolder();
		const run = await simulatedGate(folder.path);
		const withoutKeys = await runCli([...run, '--set', `keys=${join(folder.path, 'nowhere')}`]);
		expect(withoutKeys.code).toBe(1);
		expect(withoutKeys.err).toMatch(/^error: .*nowhere.*\n {2}hint: .*\[keys_missing\]\n$/);
		const withoutLanes = await runCli([...run, '--set', 'lanes=[]']);
		expect(withoutLanes.code).toBe(1);
		expect(withoutLanes.err).toMatch(/^error: .*1 problem\n {2}lanes \(--set\).*\n {2}hint: .*\[config_invalid\]\n$/s);
	});

	it('finds the example configuration valid', async () => {
		const checked = await runCli(['gate', 'check-config', '--config', example]);
		expect(checked).toMatchObject({ code: 0, out: `${example} is valid\n`, err: '' });
		const json = await runCli(['gate', 'check-config', '--config', example, '--json']);
		expect(JSON.parse(json.out)).toEqual({ valid: true, problems: [] });
	});

	it('ends with 3 and all problems at once for a configuration that is not valid', async () => {
		const wrong = ['--set', 'lanes.0.relay.channel=99', '--set', 'evnt=x', '--set', 'venue.timeZone=Mars/Olympus'];
		const checked = await runCli(['gate', 'check-config', '--config', example, ...wrong]);
		expect(checked).toMatchObject({ code: 3, out: '' });
		for (const path of ['lanes.0.relay.channel', 'evnt']) expect(checked.err).toContain(`${path} (--set)`);
		const json = await runCli(['gate', 'check-config', '--config', example, '--json', ...wrong]);
		expect(json.code).toBe(3);
		const { valid, problems } = JSON.parse(json.out);
		expect(valid).toBe(false);
		expect(problems.length).toBeGreaterThanOrEqual(2);
		const nowhere = await runCli(['gate', 'check-config', '--config', '/nowhere/gate.yaml']);
		expect(nowhere.code).toBe(3);
		expect(nowhere.err).toMatch(/^error: \/nowhere\/gate.yaml: 1 problem/);
	});
});

describe('stileward gate set-pin', () => {
	it('keeps what only the gate’s user reads, and takes nothing that is no PIN', async () => {
		await using folder = await temporaryFolder();
		const data = join(folder.path, 'data');
		const set = (pin: string) => runCli(['gate', 'set-pin', '--data', data, '--pin-stdin'], pin);
		for (const wrong of ['', '12345\n', '111111\n', '48a913\n']) {
			expect(await set(wrong)).toMatchObject({ code: 2, out: '' });
		}
		expect(await set('482913\n')).toMatchObject({ code: 0, err: expect.stringContaining('/technician') });
		const file = join(data, 'technician-pin.txt');
		expect((await stat(file)).mode & 0o777).toBe(0o600);
		expect(await readFile(file, 'utf8')).not.toContain('482913');
	}, 120_000);
});
