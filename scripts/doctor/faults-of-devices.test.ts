import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../../gate-agent/acceptance/gate.suite.ts';
import { machineWith, plugKeyboard } from '../setup/fake-machine.suite.ts';
import { type GateBench, lineOf, runDoctor, setUpGate } from './gate-bench.suite.ts';

const patience = { timeout: 300_000 };

/** Holds a port as another program does: a process whose name is this, with the port as its standard input. */
async function holdPort({ dir }: GateBench, path: string, name: string): Promise<ChildProcess> {
	const program = join(dir, name);
	await copyFile('/usr/bin/sleep', program);
	const child = spawn('/bin/sh', ['-c', 'exec "$1" 600 <> "$2"', 'sh', program, path], { stdio: 'ignore' });
	onTestFinished(() => void child.kill('SIGKILL'));
	await until(
		'the other program',
		async () => (await readFile(`/proc/${child.pid}/comm`, 'utf8')).trim() === name.slice(0, 15),
	);
	return child;
}

describe('the doctor asks the devices of a gate that does not run, and names', () => {
	it('a board without power', patience, async () => {
		const bench = await setUpGate();
		bench.board.setPower(false);
		expect((await bench.doctor('--devices')).faults).toEqual(['relay_silent', 'inputs_silent']);
	});

	it('a board of another speed, and which', patience, async () => {
		const bench = await setUpGate({ baudRate: 115_200 });
		const { faults, result } = await bench.doctor('--devices');
		expect(faults).toEqual(['relay_other_baud', 'inputs_silent']);
		const { fix, evidence } = result.findings.find(({ code }) => code === 'relay_other_baud') ?? {};
		expect(evidence).toEqual({ baudRate: 9600, answers: 115_200 });
		expect(fix?.en).toContain('baudRate: 115200');
	});

	it('a scanner of another speed, and which', patience, async () => {
		const bench = await setUpGate();
		await bench.configure({
			lane: { scanner: { driver: 'serial-line', path: bench.scanner.path, baudRate: 115_200 } },
		});
		const { faults, result } = await bench.doctor('--devices');
		expect(faults).toEqual(['scanner_other_baud']);
		expect(result.findings.find(({ code }) => code === 'scanner_other_baud')?.evidence).toMatchObject({
			answers: 9600,
		});
	});

	it('paths of scanner and board that are exchanged', patience, async () => {
		const bench = await setUpGate();
		await bench.configure({
			lane: {
				scanner: { driver: 'grow-gm', path: bench.line.path },
				relay: { driver: 'modbus-waveshare', path: bench.scanner.path },
				inputs: undefined,
			},
		});
		expect((await bench.doctor('--devices')).faults).toEqual(['scanner_silent', 'relay_silent']);
	});

	it('a fire contact that is active, and a passage contact that is stuck', patience, async () => {
		const bench = await setUpGate();
		bench.board.setInput(3, false);
		expect((await bench.doctor('--devices')).faults).toEqual(['fire_active']);
		bench.board.setInput(3, true);
		bench.board.setInput(1, true);
		expect((await bench.doctor('--devices')).faults).toEqual(['passage_stuck']);
	});

	it('fire and passage that are exchanged', patience, async () => {
		const bench = await setUpGate();
		// The wires as they are: a fire loop that conducts at input 1, a passage contact that does not at input 3.
		bench.board.setInput(1, true);
		bench.board.setInput(3, false);
		expect((await bench.doctor('--devices')).faults).toEqual(['inputs_swapped']);
	});

	it.each(['ModemManager', 'minicom'])('%s on the port, with its process', patience, async (name) => {
		const bench = await setUpGate();
		const child = await holdPort(bench, bench.scanner.path, name);
		const { faults, result } = await bench.doctor();
		expect(faults).toEqual(['port_held']);
		const held = result.findings.find(({ code }) => code === 'port_held');
		expect(held).toMatchObject({ subject: 'lane-1.scanner', evidence: { pid: child.pid, program: name } });
	});

	it('a scanner that is in keyboard mode', patience, async () => {
		const bench = await setUpGate();
		const root = await machineWith(bench.dir, []);
		plugKeyboard(root, { vendor: '0c2e', product: '0b01', name: 'Honeywell Imaging & Mobility 1900' });
		await bench.scanner.pty.unplug();
		const { faults, result } = await runDoctor(['--config', bench.configFile, '--root', root]);
		expect(faults).toEqual(['scanner_types']);
		const { what, fix } = result.findings.find(({ code }) => code === 'scanner_types') ?? {};
		expect(what?.en).toContain('Honeywell');
		expect(fix?.zh).toContain('USB 虚拟串口');
	});

	it('a scanner at the path of the relay, known by its USB id', patience, async () => {
		const bench = await setUpGate();
		const usb = { idVendor: '05e0', idProduct: '1701', product: 'Symbol Bar Code Scanner', serial: 'S1' };
		const root = await machineWith(bench.dir, [{ node: 'ttyACM0', path: bench.line.path, ...usb }]);
		await bench.configure({
			lane: { relay: { driver: 'serial-lcus', path: join(root, 'dev', 'ttyACM0') }, inputs: undefined },
		});
		const { faults, warnings } = await runDoctor(['--config', bench.configFile, '--root', root]);
		expect(faults).toEqual(['device_other_model']);
		expect(warnings).toEqual(expect.arrayContaining(['name_not_lasting', 'pulse_by_host']));
	});

	it('four at once: another program, no power, no manifest, exchanged speeds', patience, async () => {
		const bench = await setUpGate();
		await holdPort(bench, bench.scanner.path, 'minicom');
		bench.board.setPower(false);
		await bench.configure({ gate: { keys: join(bench.dir, 'nothing') } });
		const { faults } = await bench.doctor('--devices');
		expect(faults).toEqual(expect.arrayContaining(['port_held', 'relay_silent', 'inputs_silent', 'keys_missing']));
	});
});

describe('the doctor looks at a gate that runs, and names', () => {
	it('a board that lost its power', patience, async () => {
		const bench = await setUpGate();
		const gate = await bench.start();
		bench.board.setPower(false);
		await lineOf(gate, 'device', { device: 'lane-1.relay', state: 'degraded' });
		const { faults } = await bench.doctor();
		expect(faults).toContain('relay_silent');
		bench.board.setPower(true);
		await until('a healthy gate again', async () => (await gate.health()).ok === true, 60_000);
		expect((await bench.doctor()).faults).toEqual([]);
	});

	it('a scanner that is read at another speed than its own', patience, async () => {
		const bench = await setUpGate();
		await bench.configure({
			lane: { scanner: { driver: 'serial-line', path: bench.scanner.path, baudRate: 115_200 }, holdOffMs: 0 },
		});
		const gate = await bench.start();
		for (let codes = 0; codes < 4; codes += 1) {
			const seen = gate.lines.length;
			await bench.scanner.present('SW1:THIS CODE COMES AT ANOTHER SPEED');
			await until('a refusal', () => gate.lines.slice(seen).some(({ reason }) => reason === 'unreadable'), 60_000);
		}
		const { faults, result } = await bench.doctor();
		expect(faults).toEqual(['scanner_unreadable']);
		expect(result.findings.find(({ code }) => code === 'scanner_unreadable')?.what.en).toContain('115200');
	});

	it('a gate that hangs', patience, async () => {
		const bench = await setUpGate();
		const gate = await bench.start();
		process.kill(gate.pid, 'SIGSTOP');
		const { faults, result } = await bench.doctor();
		process.kill(gate.pid, 'SIGCONT');
		expect(faults).toEqual(['agent_silent']);
		expect(result.findings.find(({ code }) => code === 'agent_silent')?.evidence).toMatchObject({ pid: gate.pid });
	});

	it('another program at its address', patience, async () => {
		const bench = await setUpGate();
		const { createServer } = await import('node:http');
		const other = createServer((_, answer) => answer.end('hello'));
		await new Promise<void>((resolve) => other.listen(bench.port, '127.0.0.1', resolve));
		onTestFinished(() => void other.close());
		expect((await bench.doctor()).faults).toEqual(['http_taken']);
	});

	it('contacts that are exchanged, and an alarm that latches', patience, async () => {
		const bench = await setUpGate();
		const gate = await bench.start();
		bench.board.setInput(1, true);
		bench.board.setInput(3, false);
		await until(
			'both contacts',
			async () => {
				const { fire, passing } = await gate.lane();
				return fire === 'active' && JSON.stringify(passing) === '["entry"]';
			},
			60_000,
		);
		expect((await bench.doctor()).faults).toEqual(['inputs_swapped']);
	});
});
