import { expect, it, onTestFinished } from 'vitest';
import { emulateLcus } from '../../gate-agent/emulators/lcus-emulator.ts';
import { openPty } from '../../gate-agent/emulators/pty.ts';
import { emulateWaveshare } from '../../gate-agent/emulators/waveshare-emulator.ts';
import { runCli, startCli } from './cli.suite.ts';

const patience = 30_000;

async function plugIn() {
	const pty = await openPty();
	onTestFinished(() => pty.close());
	return pty;
}

it('a scanner is tried: each scan is described, and shown only where somebody asks', {
	timeout: patience,
}, async () => {
	const pty = await plugIn();
	const child = startCli([
		'devices',
		'test',
		'scanner',
		'--model',
		'serial-generic',
		'--set',
		`path=${pty.path}`,
		'--seconds',
		'20',
	]);
	let out = '';
	let err = '';
	child.stdout?.setEncoding('utf8').on('data', (text) => (out += text));
	child.stderr?.setEncoding('utf8').on('data', (text) => (err += text));
	const ended = new Promise((resolve) => child.once('close', resolve));
	await expect.poll(() => err, { timeout: patience }).toMatch(/hold codes up/);
	await pty.write(']Q1SW1:AB  CD\r');
	await expect.poll(() => out, { timeout: patience }).toMatch(/compact ticket, 10 characters, AIM \]Q1/);
	expect(out).not.toContain('AB  CD');
	child.kill('SIGINT');
	expect(await ended).toBe(0);
});

it('a relay is clicked once and read back where the board can', { timeout: patience }, async () => {
	const [plain, telling] = [await plugIn(), await plugIn()];
	const [lcus, waveshare] = [emulateLcus(plain), emulateWaveshare(telling)];
	const first = await runCli([
		'devices',
		'test',
		'relay',
		'--model',
		'lcus-1',
		'--set',
		`path=${plain.path}`,
		'--json',
	]);
	expect(JSON.parse(first.out)).toMatchObject({ channel: 1, pulseMs: 300, ended: 'host' });
	expect(lcus.edges.map(({ closed }) => closed)).toEqual([true, false]);
	const second = await runCli([
		'devices',
		'test',
		'relay',
		'--model',
		'waveshare-rtu',
		'--set',
		`path=${telling.path}`,
		'--channel',
		'2',
	]);
	expect(second).toMatchObject({
		code: 0,
		out: expect.stringMatching(/channel 2, 300 ms, ended by the board: read back closed, then open/),
	});
	expect(waveshare.edges.map(({ channel, closed }) => [channel, closed])).toEqual([
		[2, true],
		[2, false],
	]);
});

it('contacts are watched', { timeout: patience }, async () => {
	const pty = await plugIn();
	const board = emulateWaveshare(pty);
	board.setInput(3, true);
	const args = [
		'--driver',
		'modbus-discrete',
		'--set',
		`path=${pty.path}`,
		'--set',
		'contacts.fire.channel=3',
		'--seconds',
		'1',
		'--json',
	];
	const { code, out } = await runCli(['devices', 'test', 'inputs', ...args]);
	expect([code, JSON.parse(out.split('\n')[0] ?? '')]).toEqual([
		0,
		{ atMs: expect.any(Number), role: 'fire', active: true },
	]);
});

it('wrong words are told, and nothing is opened', { timeout: patience }, async () => {
	expect(await runCli(['devices', 'test', 'door'])).toMatchObject({
		code: 2,
		err: expect.stringMatching(/scanner, relay or inputs/),
	});
	const unknown = await runCli(['devices', 'test', 'relay', '--model', 'nothing']);
	expect(unknown).toMatchObject({ code: 1, err: expect.stringMatching(/waveshare-rtu/) });
	const absent = await runCli(['devices', 'test', 'relay', '--model', 'lcus-1', '--set', 'path=/dev/nothing']);
	expect(absent).toMatchObject({ code: 1, err: expect.stringMatching(/\/dev\/nothing.*device_absent/s) });
	expect((await runCli(['devices', 'identify', '--path', '/dev/nothing'])).code).toBe(3);
	expect((await runCli(['devices', 'list', '--json'])).code).toBe(0);
});
