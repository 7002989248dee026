import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Relay } from '../core/device.ts';
import { eventually } from '../emulators/eventually.suite.ts';
import { openPty, type Pty } from '../emulators/pty.ts';
import { emulateWaveshare, type ReplyFault, type WaveshareEmulator } from '../emulators/waveshare-emulator.ts';
import { createBuses } from '../serial/buses.ts';
import { modbusWaveshare } from './modbus-waveshare.ts';
import { describeRelay } from './relay.suite.ts';

const io = { nowMs: () => performance.now(), log: () => {} };

describeRelay(
	'modbus-waveshare',
	async () => {
		const pty = await openPty();
		const board = emulateWaveshare(pty);
		return {
			// Each opener is another agent: only devices of one agent share a bus.
			open: () => modbusWaveshare.open({ path: pty.path }, { ...io, buses: createBuses() }),
			edges: board.edges,
			isClosed: board.isClosed,
			plug: board,
			end: pty.close,
		};
	},
	{ toleranceMs: 60, reads: true, fedByPort: false },
);

describe('modbus-waveshare and its board', () => {
	let pty: Pty;
	let board: WaveshareEmulator;
	let relay: Relay;
	const events: string[] = [];
	const open = () =>
		modbusWaveshare.open(
			{ path: pty.path },
			{ nowMs: io.nowMs, log: (event) => events.push(event), buses: createBuses() },
		);
	const isWrite = (hex: string) => hex.startsWith('0105');
	const writes = () => board.requests.map(({ hex }) => hex).filter(isWrite);

	beforeEach(async () => {
		events.length = 0;
		pty = await openPty();
		board = emulateWaveshare(pty);
		relay = await open();
	});
	afterEach(async () => {
		await relay.close();
		await pty.close();
	});

	it('asks the board’s own timer, with the bytes of its manual, and reads the coil back', async () => {
		const before = board.requests.length;
		await relay.pulse(1, 700);
		expect(board.requests.slice(before).map(({ hex }) => hex)).toEqual(['010502000007' + '8db0', '0101000000083dcc']);
	});

	it.each([
		[1, '010502000001'],
		[100, '010502000001'],
		[101, '010502000002'],
		[3_276_700, '010502007fff'],
	])('rounds a pulse of %i ms up to the board’s steps', async (ms, frame) => {
		await relay.pulse(1, ms);
		expect(writes().map((hex) => hex.slice(0, 12))).toEqual([frame]);
	});

	it('refuses a pulse that is longer than the timer', async () => {
		await expect(relay.pulse(1, 3_276_701)).rejects.toMatchObject({ code: 'config_invalid' });
		expect(writes()).toEqual([]);
	});

	const confirmed: [string, ReplyFault][] = [
		['lost', { kind: 'mute' }],
		['damaged', { kind: 'bad_crc' }],
		['noise', { kind: 'garbage', bytes: Uint8Array.of(1, 5, 2, 0, 0xff, 0x55) }],
		['late', { kind: 'late', ms: 215 }],
	];
	it.each(confirmed)(
		'takes the closed coil for an echo that is %s, and never repeats the flash',
		async (_name, fault) => {
			board.inject([fault], isWrite);
			await relay.pulse(1, 500);
			await eventually(() => board.edges.length === 2);
			expect(writes()).toHaveLength(1);
			expect(events).toContain('relay_echo_missing');
		},
	);

	const unhurt: [string, ReplyFault][] = [
		['comes after noise', { kind: 'noise_before', bytes: Uint8Array.of(0, 0xff, 1, 5, 2) }],
		['is torn', { kind: 'torn', gapMs: 30 }],
	];
	it.each(unhurt)('understands an echo that %s', async (_name, fault) => {
		board.inject([fault], isWrite);
		await relay.pulse(1, 300);
		expect(writes()).toHaveLength(1);
		expect(events).toEqual([]);
	});

	const failed: [string, ReplyFault, string][] = [
		['did not hear it', { kind: 'deaf' }, 'device_timeout'],
		['refuses it', { kind: 'exception', code: 4 }, 'device_protocol'],
		['echoes it, but its coil is stuck', { kind: 'stuck' }, 'device_protocol'],
	];
	it.each(failed)('rejects a pulse when the board %s, and does not repeat it', async (_name, fault, code) => {
		board.inject([fault], isWrite);
		await expect(relay.pulse(1, 300)).rejects.toMatchObject({ code });
		expect(writes()).toHaveLength(1);
		expect(board.edges).toEqual([]);
		await relay.pulse(1, 300);
		expect(board.isClosed(1)).toBe(true);
	});

	it('rejects a pulse whose coil cannot be read, and refuses another one while it may still run', async () => {
		board.inject([{ kind: 'mute' }, { kind: 'mute' }], (hex) => hex.startsWith('0101'));
		await expect(relay.pulse(1, 1000)).rejects.toMatchObject({ code: 'device_timeout' });
		await expect(relay.pulse(1, 1000)).rejects.toMatchObject({ code: 'device_busy' });
		await eventually(() => board.edges.length === 2);
		expect(writes()).toHaveLength(1);
	});

	it('does not open a board that has fewer channels than the configuration says', async () => {
		const other = await openPty();
		emulateWaveshare(other, { channels: 4 });
		try {
			const opening = modbusWaveshare.open({ path: other.path }, { ...io, buses: createBuses() });
			await expect(opening).rejects.toMatchObject({ code: 'device_protocol' });
		} finally {
			await other.close();
		}
	});

	it('repeats a switch whose echo was lost: switching twice is harmless', async () => {
		board.inject([{ kind: 'mute' }], isWrite);
		await relay.set(3, 'on');
		expect(writes()).toHaveLength(2);
		expect(board.isClosed(3)).toBe(true);
	});

	it('is lost when the board loses its power, and opens again when it is back', async () => {
		board.setPower(false);
		const pulse = relay.pulse(1, 300);
		await expect(pulse).rejects.toMatchObject({ code: 'device_timeout' });
		await expect(relay.lost).resolves.toMatchObject({ code: 'device_lost' });
		await relay.close();
		await expect(open()).rejects.toMatchObject({ code: 'device_timeout' });
		board.setPower(true);
		relay = await open();
		await relay.pulse(1, 100);
		await eventually(() => board.edges.length === 2);
	});

	it('closes a held coil again after the board has lost its power for a moment', async () => {
		await relay.set(1, 'hold');
		board.setPower(false);
		expect(board.isClosed(1)).toBe(false);
		board.setPower(true);
		await eventually(() => board.isClosed(1));
		expect(events).toContain('relay_coil_reclosed');
	});

	it('works again after a burst of noise on an idle line', async () => {
		await pty.write(Uint8Array.from({ length: 5000 }, (_, i) => (i * 37) & 0xff));
		await relay.pulse(1, 100);
		await eventually(() => board.edges.length === 2);
	});

	it('does not open on a line where nobody answers', async () => {
		const silent = await openPty();
		try {
			const opening = modbusWaveshare.open({ path: silent.path }, { ...io, buses: createBuses() });
			await expect(opening).rejects.toMatchObject({ code: 'device_timeout' });
		} finally {
			await silent.close();
		}
	});
});
