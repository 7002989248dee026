import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Inputs, Relay } from '../core/device.ts';
import { modbusDiscrete } from '../inputs/modbus-discrete.ts';
import { modbusWaveshare } from '../relays/modbus-waveshare.ts';
import { createBuses } from '../serial/buses.ts';
import { openSerialPort, type SerialLine } from '../serial/serial-port.ts';
import { eventually } from './eventually.suite.ts';
import { openPty, type Pty } from './pty.ts';
import { createTurnstile, type Turnstile, turnstileContacts } from './turnstile.ts';
import { emulateWaveshare, type WaveshareEmulator } from './waveshare-emulator.ts';

const nowMs = () => performance.now();

describe('a turnstile wired to an emulated board', () => {
	let pty: Pty;
	let turnstile: Turnstile;
	let relay: Relay;
	let inputs: Inputs;
	let changes: string[];

	beforeEach(async () => {
		changes = [];
		pty = await openPty();
		const board = emulateWaveshare(pty, {
			onCoil(channel, closed) {
				if (channel <= 2) turnstile.coil(channel === 1 ? 'entry' : 'exit', closed);
			},
		});
		turnstile = createTurnstile({
			schedule(ms, callback) {
				const timer = setTimeout(callback, ms);
				return () => clearTimeout(timer);
			},
			passageWindowMs: 600,
			onContact: (contact, active) => board.setInput(turnstileContacts.indexOf(contact) + 1, active),
		});
		const buses = createBuses();
		const onChange = (role: string, active: boolean) => void changes.push(`${role} ${active}`);
		relay = await modbusWaveshare.open({ path: pty.path }, { nowMs, log: () => {}, buses });
		inputs = await modbusDiscrete.open(
			{ path: pty.path, contacts: { passage: { channel: 1 }, reverse: { channel: 2 }, fire: { channel: 3 } } },
			{ nowMs, log: () => {}, onChange, buses },
		);
	});
	afterEach(async () => {
		await Promise.all([relay.close(), inputs.close()]);
		await pty.close();
	});

	it('lets one visitor pass for one pulse, and the passage comes back through the same port', async () => {
		await relay.pulse(1, 300);
		await eventually(() => turnstile.isOpen('entry'));
		expect(turnstile.walkThrough('entry')).toBe(true);
		expect(turnstile.walkThrough('entry')).toBe(false);
		await eventually(() => changes.length === 2);
		expect(changes).toEqual(['passage true', 'passage false']);
	});

	it('shuts when nobody came', async () => {
		await relay.pulse(1, 300);
		await eventually(() => turnstile.isOpen('entry'));
		await eventually(() => !turnstile.isOpen('entry'));
		expect(changes).toEqual([]);
	});

	it('tells a fire', async () => {
		turnstile.setContact('fire', true);
		await eventually(() => changes.includes('fire true'));
		expect(await inputs.read()).toMatchObject({ fire: true });
	});
});

describe('the emulated Waveshare board', () => {
	let pty: Pty;
	let board: WaveshareEmulator;
	let line: SerialLine;
	let heard = '';

	/** Sends the frame and waits for as many bytes as the expected answer has. */
	const ask = async (frame: string, answer: string) => {
		heard = '';
		await line.write(Buffer.from(frame.replaceAll(' ', ''), 'hex'), 500);
		const expected = answer.replaceAll(' ', '').toLowerCase();
		await eventually(() => heard.length >= expected.length);
		expect(heard).toBe(expected);
	};
	const closed = () => [1, 2, 3, 4, 5, 6, 7, 8].filter(board.isClosed);

	beforeEach(async () => {
		pty = await openPty();
		board = emulateWaveshare(pty);
		line = await openSerialPort(
			{ path: pty.path, baudRate: 9600 },
			{
				data(bytes) {
					heard += Buffer.from(bytes).toString('hex');
				},
			},
		);
	});
	afterEach(async () => {
		await line.close();
		await pty.close();
	});

	it('answers as its manual says', async () => {
		await ask('01 05 00 00 FF 00 8C 3A', '01 05 00 00 FF 00 8C 3A');
		expect(closed()).toEqual([1]);
		await ask('01 05 00 00 00 00 CD CA', '01 05 00 00 00 00 CD CA');
		expect(closed()).toEqual([]);
		await ask('01 0F 00 00 00 08 01 FF BE D5', '01 0F 00 00 00 08 54 0D');
		expect(closed()).toHaveLength(8);
		await ask('01 05 00 FF 00 00 FD FA', '01 05 00 FF 00 00 FD FA');
		await ask('01 05 00 FF FF 00 BC 0A', '01 05 00 FF FF 00 BC 0A');
		expect(closed()).toHaveLength(8);
		await ask('01 05 00 FF 00 00 FD FA', '01 05 00 FF 00 00 FD FA');
		await ask('01 05 02 00 00 07 8D B0', '01 05 02 00 00 07 8D B0');
		expect(closed()).toEqual([1]);
		await eventually(() => closed().length === 0);
		const [on, off] = board.edges.slice(-2);
		expect(Math.abs((off?.atMs ?? 0) - (on?.atMs ?? 0) - 700)).toBeLessThan(60);
	});

	it('packs its coils and inputs as its manual says', async () => {
		await ask('01 05 00 00 FF 00 8C 3A', '01 05 00 00 FF 00 8C 3A');
		await ask('01 05 00 06 FF 00 6C 3B', '01 05 00 06 FF 00 6C 3B');
		await ask('01 01 00 00 00 08 3D CC', '01 01 01 41 91 B8');
		board.setInput(1, true);
		board.setInput(7, true);
		await ask('01 02 00 00 00 08 79 CC', '01 02 01 41 61 B8');
	});
});
