import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InputRole, Inputs } from '../core/device.ts';
import { eventually } from '../emulators/eventually.suite.ts';
import { openPty, type Pty } from '../emulators/pty.ts';
import { emulateWaveshare, type WaveshareEmulator } from '../emulators/waveshare-emulator.ts';
import { type Buses, createBuses } from '../serial/buses.ts';
import { describeInputs } from './inputs.suite.ts';
import { modbusDiscrete } from './modbus-discrete.ts';

const nowMs = () => performance.now();
const channels = { passage: 1, fire: 3, tamper: 4 } as const;

describeInputs(
	'modbus-discrete',
	async () => {
		const pty = await openPty();
		const board = emulateWaveshare(pty);
		// The fire loop is closed at rest, as fire panels want it: a cut wire is an alarm.
		board.setInput(channels.fire, true);
		return {
			open: (onChange) =>
				modbusDiscrete.open(
					{
						path: pty.path,
						pollMs: 20,
						contacts: { passage: { channel: 1 }, fire: { channel: 3, invert: true }, tamper: { channel: 4 } },
					},
					{ nowMs, log: () => {}, onChange, buses: createBuses() },
				),
			setContact: (role, active) => board.setInput(channels[role], role === 'fire' ? !active : active),
			plug: board,
			end: pty.close,
		};
	},
	{ plug: true },
);

describe('modbus-discrete and its board', () => {
	let pty: Pty;
	let board: WaveshareEmulator;
	let buses: Buses;
	let inputs: Inputs;
	let changes: string[];
	const onChange = (role: InputRole, active: boolean) => void changes.push(`${role} ${active}`);
	let unseen = 0;
	const onUnseen = () => {
		unseen += 1;
	};
	const open = (contacts: Parameters<typeof modbusDiscrete.open>[0]['contacts']) =>
		modbusDiscrete.open({ path: pty.path, pollMs: 20, contacts }, { nowMs, log: () => {}, onChange, onUnseen, buses });

	beforeEach(async () => {
		changes = [];
		unseen = 0;
		pty = await openPty();
		board = emulateWaveshare(pty);
		buses = createBuses();
		inputs = await open({ passage: { channel: 1 }, fire: { channel: 2, debounceMs: 200 } });
	});
	afterEach(async () => {
		await inputs.close();
		await pty.close();
	});

	it('asks with the bytes of the manual', () => {
		expect(board.requests[0]?.hex).toBe('0102000000087' + '9cc');
	});

	it('sees a passage contact that closes for 150 ms', async () => {
		board.setInput(1, true);
		await delay(150);
		board.setInput(1, false);
		await eventually(() => changes.length === 2);
		expect(changes).toEqual(['passage true', 'passage false']);
	});

	it('does not take a spark on the fire line for an alarm, and its states agree with its events', async () => {
		board.setInput(2, true);
		await delay(60);
		expect(await inputs.read()).toEqual({ passage: false, fire: false });
		board.setInput(2, false);
		await delay(250);
		expect(changes).toEqual([]);
		board.setInput(2, true);
		await eventually(() => changes.length === 1);
		expect(changes).toEqual(['fire true']);
	});

	it('reports no change when polls fail for a moment', async () => {
		board.inject([{ kind: 'mute' }, { kind: 'bad_crc' }, { kind: 'garbage', bytes: Uint8Array.of(1, 2, 1, 0xff) }]);
		const before = board.requests.length;
		await eventually(() => board.requests.length > before + 5);
		expect(changes).toEqual([]);
	});

	it('tells of a pause in which a passage could have gone unseen', async () => {
		expect(unseen).toBe(0);
		// Three polls without an answer, 100 ms each.
		board.inject([{ kind: 'deaf' }, { kind: 'deaf' }, { kind: 'deaf' }]);
		await eventually(() => unseen > 0);
		expect(changes).toEqual([]);
	});

	it('is lost when the board stays silent, and the silence is no change', async () => {
		board.setPower(false);
		await expect(inputs.lost).resolves.toMatchObject({ code: 'device_lost' });
		await expect(inputs.read()).rejects.toMatchObject({ code: 'device_lost' });
		expect(changes).toEqual([]);
	});

	it('leaves the bus to a pulse while it polls', async () => {
		const bus = await buses.acquire({ path: pty.path, baudRate: 9600 });
		const waits: number[] = [];
		for (let i = 0; i < 20; i++) {
			const startedAtMs = nowMs();
			await bus.ask({ unit: 1, urgent: true, request: { kind: 'write_coil', address: 0x200, value: 1 } });
			waits.push(nowMs() - startedAtMs);
			await delay(7);
		}
		await bus.close();
		expect(Math.max(...waits)).toBeLessThan(100);
	});

	it('refuses a contact that the board does not have', async () => {
		const opening = open({ tamper: { channel: 9 } });
		await expect(opening).rejects.toMatchObject({ code: 'config_invalid' });
	});
});
