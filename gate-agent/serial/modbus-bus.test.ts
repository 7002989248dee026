import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPty, type Pty } from '../emulators/pty.ts';
import { emulateWaveshare, type WaveshareEmulator } from '../emulators/waveshare-emulator.ts';
import { type Buses, createBuses } from './buses.ts';
import { type ModbusBus, type ModbusCall, queueMax, silenceMs } from './modbus-bus.ts';

const readInputs: ModbusCall = { unit: 1, request: { kind: 'read_inputs', start: 0, count: 8 } };
const readCoils: ModbusCall = { unit: 1, request: { kind: 'read_coils', start: 0, count: 8 } };
const flash: ModbusCall = { unit: 1, urgent: true, request: { kind: 'write_coil', address: 0x200, value: 3 } };

describe('a bus', () => {
	let pty: Pty;
	let board: WaveshareEmulator;
	let buses: Buses;
	let bus: ModbusBus;
	const functions = () => board.requests.map(({ hex }) => hex.slice(2, 4)).join(' ');

	beforeEach(async () => {
		pty = await openPty();
		board = emulateWaveshare(pty, { turnaroundMs: 5 });
		buses = createBuses();
		bus = await buses.acquire({ path: pty.path, baudRate: 9600 });
	});
	afterEach(async () => {
		await bus.close();
		await pty.close();
	});

	it('asks one question at a time, urgent ones first', async () => {
		const polls = [readInputs, readInputs, readInputs].map((call) => bus.ask(call));
		const pulse = bus.ask(flash).then(() => functions());
		await Promise.all(polls);
		expect(await pulse).toBe('02 05');
		expect(functions()).toBe('02 05 02 02');
	});

	it('keeps the line silent between frames', async () => {
		board = emulateWaveshare(pty, { turnaroundMs: 0 });
		await Promise.all(Array.from({ length: 20 }, () => bus.ask(readCoils)));
		const times = board.requests.map(({ atMs }) => atMs);
		const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0));
		expect(Math.min(...gaps)).toBeGreaterThanOrEqual(silenceMs(9600));
	});

	it('computes the silence of the standard', () => {
		expect(silenceMs(9600)).toBeCloseTo(4.01, 2);
		expect(silenceMs(115_200)).toBe(1.75);
	});

	it('lets a pulse wait for one attempt of a poll at most, even when the polled board is dead', async () => {
		const dead = { ...readInputs, unit: 9, timeoutMs: 150 };
		const polls = Array.from({ length: 6 }, () => bus.ask(dead).catch((error) => error.code));
		await delay(20);
		const startedAtMs = performance.now();
		await bus.ask(flash);
		expect(performance.now() - startedAtMs).toBeLessThan(150 + 150);
		expect(new Set(await Promise.all(polls))).toEqual(new Set(['device_timeout']));
	});

	it('repeats a read once, and a write never', async () => {
		board.inject([{ kind: 'mute' }, { kind: 'bad_crc' }, { kind: 'mute' }, { kind: 'mute' }]);
		await expect(bus.ask(readCoils)).rejects.toMatchObject({ code: 'device_protocol' });
		await expect(bus.ask(flash)).rejects.toMatchObject({ code: 'device_timeout' });
		await expect(bus.ask(readCoils)).resolves.toHaveLength(8);
		expect(functions()).toBe('01 01 05 01 01');
	});

	it('does not repeat what the board refuses', async () => {
		board.inject([{ kind: 'exception', code: 2 }]);
		await expect(bus.ask(readCoils)).rejects.toThrow(/illegal data address/);
		expect(functions()).toBe('01');
	});

	it('does not take a reply that comes too late for the answer to the next question', async () => {
		board = emulateWaveshare(pty, { turnaroundMs: 25 });
		board.setInput(1, true);
		board.inject([{ kind: 'late', ms: 45 }]);
		await expect(bus.ask({ ...readInputs, timeoutMs: 30, tries: 1 })).rejects.toMatchObject({ code: 'device_timeout' });
		board.setInput(1, false);
		expect((await bus.ask(readInputs))[0]).toBe(false);
	});

	it('refuses what does not fit its queue, and serves the rest', async () => {
		const asked = Array.from({ length: queueMax + 5 }, () =>
			bus.ask(readCoils).then(
				() => 'ok',
				(error) => error.code,
			),
		);
		const results = await Promise.all(asked);
		// One is on the wire already when the queue fills.
		expect(results.filter((result) => result === 'ok')).toHaveLength(queueMax + 1);
		expect(results.filter((result) => result === 'device_busy')).toHaveLength(4);
	});

	it('gets through although a broken transmitter babbles', async () => {
		board.inject([{ kind: 'deaf' }]);
		// After a failure the bus wants a longer silence than this line will ever have.
		const failing = bus.ask({ ...readCoils, tries: 1 }).catch((error) => error.code);
		const babble = setInterval(() => void pty.write(Uint8Array.of(0x55)).catch(() => {}), 3);
		try {
			expect(await failing).toBe('device_protocol');
			const startedAtMs = performance.now();
			await expect(bus.ask(flash)).resolves.toEqual([]);
			expect(performance.now() - startedAtMs).toBeLessThan(600);
		} finally {
			clearInterval(babble);
		}
	});

	it('settles every call when the port is unplugged, and is opened anew after a re-plug', async () => {
		board.inject([{ kind: 'deaf' }]);
		const calls = [readCoils, readInputs, flash].map((call) => bus.ask({ ...call, timeoutMs: 5000 }));
		await delay(20);
		await pty.unplug();
		for (const result of await Promise.allSettled(calls)) {
			expect(result).toMatchObject({ status: 'rejected', reason: { code: 'device_lost' } });
		}
		await expect(bus.lost).resolves.toMatchObject({ code: 'device_lost' });
		await expect(bus.ask(readCoils)).rejects.toMatchObject({ code: 'device_lost' });
		await pty.replug();
		const again = await buses.acquire({ path: pty.path, baudRate: 9600 });
		await expect(again.ask(readCoils)).resolves.toHaveLength(8);
		// The holder of the lost bus may give its share back late: the new port is not its own.
		await bus.close();
		await expect(again.ask(readCoils)).resolves.toHaveLength(8);
		await again.close();
	});

	it('is shared by the devices of one board, until the last one gives it back', async () => {
		const other = await buses.acquire({ path: pty.path, baudRate: 9600 });
		await other.close();
		await other.close();
		await expect(other.ask(readCoils)).rejects.toMatchObject({ code: 'device_lost' });
		await expect(bus.ask(readCoils)).resolves.toHaveLength(8);
	});

	it('can be given back and taken at the same moment', async () => {
		const closing = bus.close();
		bus = await buses.acquire({ path: pty.path, baudRate: 9600 });
		await closing;
		await expect(bus.ask(readCoils)).resolves.toHaveLength(8);
	});

	it('is not shared by devices that disagree on its settings', async () => {
		await expect(buses.acquire({ path: pty.path, baudRate: 19_200 })).rejects.toMatchObject({ code: 'config_invalid' });
	});
});
