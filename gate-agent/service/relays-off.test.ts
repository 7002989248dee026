import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../emulators/eventually.suite.ts';
import { emulateLcus } from '../emulators/lcus-emulator.ts';
import { openPty } from '../emulators/pty.ts';
import { emulateWaveshare } from '../emulators/waveshare-emulator.ts';
import { serialLcus } from '../relays/serial-lcus.ts';
import { coilRecordFile, openCoilRecord, type RecordedBoard, readCoilRecord } from './coil-record.ts';
import { switchCoilsOff } from './relays-off.ts';

const unfailing = (error: unknown) => expect.unreachable(String(error));
const io = { nowMs: () => performance.now(), log: () => undefined };

async function plugIn() {
	const pty = await openPty();
	onTestFinished(() => pty.close());
	return pty;
}

function boardOf(driver: string, options: Record<string, unknown>, lanes: RecordedBoard['lanes']): RecordedBoard {
	return { name: 'lane-1.relay', driver, options, lanes };
}

const lanes = [
	{ lane: 'lane-1', channels: [1, 1] },
	{ lane: 'lane-2', channels: [2, 2] },
];

describe('the relays of a dead agent', () => {
	it('are switched off on an LCUS board, but for a lane in an emergency, and none is switched on', async () => {
		const pty = await plugIn();
		const board = emulateLcus(pty, { channels: 2 });
		const relay = await serialLcus.open({ path: pty.path, channels: 2 }, io);
		await relay.set(1, 'hold');
		await relay.set(2, 'hold');
		// Holds stay when the agent's end of the watchdog closes, as at its death.
		await relay.close();
		await eventually(() => board.isClosed(1) && board.isClosed(2));
		const boards = [boardOf('serial-lcus', { path: pty.path, baudRate: 9600, channels: 2 }, lanes)];
		expect(await switchCoilsOff({ boards, emergencies: ['lane-2'] })).toEqual([
			{ board: 'lane-1.relay', off: [1], held: [2] },
		]);
		await eventually(() => !board.isClosed(1));
		expect(board.isClosed(2)).toBe(true);
		expect(board.edges.filter(({ closed }) => closed)).toHaveLength(2);
	});

	it('are switched off on a Modbus board', async () => {
		const pty = await plugIn();
		const board = emulateWaveshare(pty, { channels: 8 });
		const options = { path: pty.path, baudRate: 9600, address: 1, channels: 8 };
		const { createBuses } = await import('../serial/buses.ts');
		const { modbusWaveshare } = await import('../relays/modbus-waveshare.ts');
		const relay = await modbusWaveshare.open(options, { ...io, buses: createBuses() });
		await relay.set(1, 'hold');
		await relay.close();
		expect(board.isClosed(1)).toBe(true);
		expect(await switchCoilsOff({ boards: [boardOf('modbus-waveshare', options, lanes)], emergencies: [] })).toEqual([
			{ board: 'lane-1.relay', off: [1, 2], held: [] },
		]);
		expect(board.isClosed(1)).toBe(false);
	});

	it('are not touched on GPIO lines while one lane of them is in an emergency: whoever opens them ends the hold', async () => {
		const boards = [boardOf('gpio', { chip: 'no-such-chip', lines: [1, 2], activeLow: false }, lanes)];
		expect(await switchCoilsOff({ boards, emergencies: ['lane-1'] })).toEqual([
			{ board: 'lane-1.relay', off: [], held: [1] },
		]);
		expect(await switchCoilsOff({ boards, emergencies: [] })).toMatchObject([
			{ off: [], problem: expect.stringContaining('no-such-chip') },
		]);
	});

	it('are waited for while the dead agent’s coil watchdog still has the port', async () => {
		const pty = await plugIn();
		const board = emulateLcus(pty, { channels: 1 });
		const relay = await serialLcus.open({ path: pty.path, channels: 1 }, io);
		await relay.set(1, 'hold');
		const off = switchCoilsOff({
			boards: [boardOf('serial-lcus', { path: pty.path, baudRate: 9600, channels: 1 }, [{ lane: 'a', channels: [1] }])],
			emergencies: [],
		});
		await relay.close();
		expect(await off).toEqual([{ board: 'lane-1.relay', off: [1], held: [] }]);
		await eventually(() => !board.isClosed(1));
	});

	it('are told as failed where the board is not there', async () => {
		const boards = [boardOf('serial-lcus', { path: '/dev/nothing', baudRate: 9600, channels: 1 }, lanes)];
		expect(await switchCoilsOff({ boards, emergencies: [] })).toMatchObject([{ off: [], problem: expect.any(String) }]);
	});
});

describe('the record of an agent’s coils', () => {
	function folder() {
		const dir = mkdtempSync(join(tmpdir(), 'stileward-coils-'));
		onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
		return dir;
	}
	const boards = [boardOf('simulated', { channels: 8 }, lanes)];

	it('keeps what the life before wrote until the next one drives its boards', () => {
		const file = coilRecordFile(folder());
		const before = openCoilRecord(file, unfailing);
		before.drives({ boards, emergencies: ['lane-1'] });
		const after = openCoilRecord(file, unfailing);
		after.emergency('lane-2', true);
		expect(readCoilRecord(file)).toEqual({ boards, emergencies: ['lane-1'] });
		after.drives({ boards: [], emergencies: [] });
		expect(readCoilRecord(file)).toEqual({ boards: [], emergencies: [] });
	});

	it('has each emergency as long as it lasts', () => {
		const file = coilRecordFile(folder());
		const record = openCoilRecord(file, unfailing);
		record.drives({ boards, emergencies: [] });
		record.emergency('lane-2', true);
		record.emergency('lane-1', true);
		record.emergency('lane-2', false);
		expect(readCoilRecord(file)?.emergencies).toEqual(['lane-1']);
	});

	it('keeps no lane from opening where it cannot be written, and is none where it cannot be read', () => {
		const failures: unknown[] = [];
		const dir = folder();
		openCoilRecord(join(dir, 'no', 'folder'), (error) => failures.push(error)).drives({ boards, emergencies: [] });
		expect(failures).toMatchObject([{ code: 'ENOENT' }]);
		writeFileSync(coilRecordFile(dir), '{"boards":');
		expect(readCoilRecord(coilRecordFile(dir))).toBeUndefined();
		expect(readFileSync(coilRecordFile(dir), 'utf8')).toBe('{"boards":');
	});
});
