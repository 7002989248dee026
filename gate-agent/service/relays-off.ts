import { setTimeout as sleep } from 'node:timers/promises';
import { StilewardError } from '../core/errors.ts';
import type { CoilPortOptions } from '../relays/coil-port.ts';
import type { BusOptions } from '../serial/modbus-bus.ts';
import type { CoilState, RecordedBoard } from './coil-record.ts';

/** What became of one board. */
export interface BoardOff {
	readonly board: string;
	/** Channels that were switched off. */
	readonly off: readonly number[];
	/** Channels that were left, because their lane is in an emergency. */
	readonly held: readonly number[];
	readonly problem?: string;
}

/** A dead agent's coil watchdog lets a pulse end and then lets go of its port; within this time it has. */
const busyMs = 3_000;
const betweenTriesMs = 100;

/** A board that neither opens nor takes an order within this time is given up. */
const boardMs = 10_000;

/**
 * Switches the coils of a dead agent off. Coils of a lane in an emergency stay as they are; nothing is ever switched
 * on. Never rejects: what failed is told by board.
 */
export function switchCoilsOff({ boards, emergencies }: CoilState): Promise<readonly BoardOff[]> {
	return Promise.all(boards.map((board) => switchBoardOff(board, new Set(emergencies))));
}

async function switchBoardOff(board: RecordedBoard, emergencies: ReadonlySet<string>): Promise<BoardOff> {
	const channelsWhere = (isHeld: boolean) => [
		...new Set(board.lanes.filter(({ lane }) => emergencies.has(lane) === isHeld).flatMap(({ channels }) => channels)),
	];
	const held = channelsWhere(true);
	// A channel that opens two lanes stays as long as one of them must.
	const wanted = channelsWhere(false).filter((channel) => !held.includes(channel));
	const nothing = { board: board.name, off: [], held };
	// Whoever opens GPIO lines takes them over from the watchdog that holds them, and drops them at its end.
	if (wanted.length === 0 || (held.length > 0 && board.driver === 'gpio')) return nothing;
	try {
		await inTime(writeOff(board, wanted), board.name);
		return { board: board.name, off: wanted, held };
	} catch (error) {
		return { ...nothing, problem: error instanceof Error ? error.message : String(error) };
	}
}

async function writeOff(board: RecordedBoard, channels: readonly number[]): Promise<void> {
	const { off, close } = await whenFree(board);
	try {
		for (const channel of channels) await off(channel);
	} finally {
		await close();
	}
}

interface OpenBoard {
	off(channel: number): Promise<void>;
	close(): Promise<void>;
}

async function whenFree(board: RecordedBoard): Promise<OpenBoard> {
	const giveUpMs = performance.now() + busyMs;
	for (;;) {
		try {
			return await openBoard(board);
		} catch (error) {
			const isBusy = error instanceof StilewardError && error.code === 'device_busy';
			if (!isBusy || performance.now() > giveUpMs) throw error;
			await sleep(betweenTriesMs);
		}
	}
}

/** Opens a board without its driver, whose schemas and watchdog would take seconds. Its options were checked by it. */
async function openBoard({ driver, options }: RecordedBoard): Promise<OpenBoard> {
	switch (driver) {
		case 'serial-lcus':
		case 'hid-dcttech':
		case 'gpio': {
			const { openCoilPort } = await import('../relays/coil-port.ts');
			const port = await openCoilPort({ driver, ...options } as unknown as CoilPortOptions);
			return { off: (channel) => port.write(channel, false), close: async () => undefined };
		}
		case 'modbus-waveshare':
		case 'modbus-tcp':
			return openModbusBoard(options);
		case 'simulated':
			return { off: async () => undefined, close: async () => undefined };
		default:
			throw new StilewardError('unsupported', `nobody can switch off a board of the driver ${driver}`);
	}
}

async function openModbusBoard(options: RecordedBoard['options']): Promise<OpenBoard> {
	const [{ createBuses }, { openWaveshareBoard }] = await Promise.all([
		import('../serial/buses.ts'),
		import('../relays/waveshare-board.ts'),
	]);
	// Both kinds of bus have their defaults filled in.
	const { address, channels, ...bus } = options;
	const board = await openWaveshareBoard(
		await createBuses().acquire(bus as unknown as BusOptions),
		{ address: Number(address), channels: Number(channels) },
		{ nowMs: () => performance.now(), log: () => undefined },
	);
	return { off: (channel) => board.set(channel, 'off'), close: () => board.close() };
}

async function inTime(work: Promise<void>, name: string): Promise<void> {
	const timer = new AbortController();
	const late = sleep(boardMs, undefined, { signal: timer.signal }).then(() => {
		throw new StilewardError('device_timeout', `${name} did not obey within ${boardMs / 1000} s`);
	});
	try {
		await Promise.race([work, late.catch((error) => (timer.signal.aborted ? undefined : Promise.reject(error)))]);
	} finally {
		timer.abort();
	}
}
