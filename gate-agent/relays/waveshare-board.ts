import type { CoilState, DriverIo, Relay } from '../core/device.ts';
import { StilewardError } from '../core/errors.ts';
import type { ModbusBus } from '../serial/modbus-bus.ts';
import { coilOff, coilOn } from '../serial/modbus-frame.ts';

/** The unit of the board's timer, ms. */
export const flashStepMs = 100;
/** The longest flash, in steps: the timer is a signed word. */
const flashStepsMax = 0x7fff;
/** Address of "flash on" of the first channel. */
const flashOnAddress = 0x0200;
/** How often a board that nobody speaks to is asked whether it lives, ms. */
const heartbeatMs = 1000;
/** Heartbeats in a row without an answer that mean a lost board. */
const missesMax = 2;
/** A coil is read back this long after a flash must have ended: the board's timer is not exact. */
const flashSlackMs = 100;

/** Which board on its bus. */
export interface WaveshareBoard {
	readonly address: number;
	readonly channels: number;
}

/**
 * Opens a board on a bus that is this caller's share: the board's own timer ends a pulse. A pulse is rounded up to 100 ms. It
 * is confirmed by its coil, read back closed. It is sent once: a repeated flash could admit a second visitor. Rejects with
 * `device_protocol` or `device_timeout` when the coil is open or cannot be read.
 */
export async function openWaveshareBoard(
	bus: ModbusBus,
	{ address, channels }: WaveshareBoard,
	io: Pick<DriverIo, 'nowMs' | 'log'>,
): Promise<Relay> {
	const board = createBoard(bus, address, channels);
	try {
		await board.read(false);
	} catch (error) {
		await bus.close();
		throw error;
	}
	return createRelay({ bus, board, channels, nowMs: io.nowMs, log: io.log });
}

/** The board's words: each call is confirmed by the board or rejects. */
function createBoard(bus: ModbusBus, unit: number, channels: number) {
	return {
		read: (urgent: boolean) => bus.ask({ unit, urgent, request: { kind: 'read_coils', start: 0, count: channels } }),
		write: (channel: number, closed: boolean, urgent: boolean) =>
			bus.ask({
				unit,
				urgent,
				tries: 2,
				request: { kind: 'write_coil', address: channel - 1, value: closed ? coilOn : coilOff },
			}),
		flash: (channel: number, steps: number) =>
			bus.ask({
				unit,
				urgent: true,
				tries: 1,
				request: { kind: 'write_coil', address: flashOnAddress + channel - 1, value: steps },
			}),
	};
}

interface Parts {
	readonly bus: ModbusBus;
	readonly board: ReturnType<typeof createBoard>;
	readonly channels: number;
	readonly nowMs: () => number;
	readonly log: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
}

/** What was ordered of the coils. */
interface Orders {
	/** What must stay closed until told otherwise: the heartbeat closes it again when it fell open. */
	readonly kept: Map<number, 'on' | 'hold'>;
	/** When the board's timer has opened the coil for sure. */
	readonly flashEndsAtMs: Map<number, number>;
}

function createRelay(parts: Parts): Relay {
	const { bus, board, channels, nowMs } = parts;
	const orders: Orders = { kept: new Map(), flashEndsAtMs: new Map() };
	const lost = Promise.withResolvers<StilewardError>();
	let gone: StilewardError | undefined;
	let closing: Promise<void> | undefined;

	const lose = (error: StilewardError) => {
		if (gone) return;
		gone = error;
		heart.stop();
		lost.resolve(error);
	};
	const heart = createHeart({
		beat: () => recloseKept(parts, orders),
		dead: (cause) => lose(new StilewardError('device_lost', `the board at ${bus.path} no longer answers`, { cause })),
	});
	void bus.lost.then(lose);

	const check = (channel: number) => {
		if (gone) throw gone;
		if (Number.isInteger(channel) && channel >= 1 && channel <= channels) return;
		throw new StilewardError('config_invalid', `${bus.path} has no channel ${channel}, only 1…${channels}`);
	};
	const end = async () => {
		heart.stop();
		const left = [...orders.kept].filter(([, state]) => state === 'on').map(([channel]) => channel);
		if (!gone) await Promise.allSettled(left.map((channel) => board.write(channel, false, false)));
		gone ??= new StilewardError('device_lost', `${bus.path} was closed`);
		await bus.close();
	};

	return {
		pulseTiming: 'hardware',
		channels,
		lost: lost.promise,
		async pulse(channel, ms) {
			check(channel);
			const steps = stepsOf(ms);
			if (orders.kept.has(channel) || nowMs() < (orders.flashEndsAtMs.get(channel) ?? 0)) {
				throw new StilewardError('device_busy', `channel ${channel} is closed already`);
			}
			await flash(parts, orders, { channel, steps });
		},
		async set(channel, state) {
			check(channel);
			const flashLeftMs = await switchCoil(parts, orders, { channel, state });
			// The end of a flash that still runs on the board opens the coil under a hold: look again right after it.
			if (state !== 'off' && flashLeftMs > 0) heart.beatIn(flashLeftMs);
		},
		async read() {
			if (gone) throw gone;
			return board.read(false);
		},
		close() {
			closing ??= end();
			return closing;
		},
	};
}

function stepsOf(ms: number): number {
	const steps = Math.ceil(ms / flashStepMs);
	if (steps >= 1 && steps <= flashStepsMax) return steps;
	throw new StilewardError('config_invalid', `a pulse lasts 1…${flashStepsMax * flashStepMs} ms, not ${ms}`);
}

/** Sends one flash and reads its coil back, whatever came of the echo. */
async function flash(parts: Parts, { flashEndsAtMs }: Orders, order: { channel: number; steps: number }) {
	const { board, nowMs, log } = parts;
	const { channel, steps } = order;
	const earliestEndMs = nowMs() + steps * flashStepMs;
	flashEndsAtMs.set(channel, earliestEndMs + flashSlackMs);
	const echoFailure = await board.flash(channel, steps).then(
		() => undefined,
		(error: StilewardError) => error,
	);
	if (echoFailure === undefined) flashEndsAtMs.set(channel, nowMs() + steps * flashStepMs + flashSlackMs);
	const coils = await board.read(true).catch((error: StilewardError) => error);
	if (coils instanceof StilewardError) throw echoFailure ?? coils;
	if (coils[channel - 1] === true) {
		if (echoFailure !== undefined) log('relay_echo_missing', { channel, code: echoFailure.code });
		return;
	}
	// The board took the command, and the pulse was over before the line was free to read it back.
	if (echoFailure === undefined && nowMs() >= earliestEndMs) return;
	flashEndsAtMs.delete(channel);
	throw echoFailure ?? notAsOrdered(channel, true);
}

/** Switches and reads back; gives what is left of a flash that this overtook, ms. */
async function switchCoil(parts: Parts, orders: Orders, order: { channel: number; state: CoilState }): Promise<number> {
	const { board, nowMs } = parts;
	const { channel, state } = order;
	const closed = state !== 'off';
	const urgent = state === 'hold';
	if (state === 'off') orders.kept.delete(channel);
	else orders.kept.set(channel, state);
	await board.write(channel, closed, urgent);
	const coils = await board.read(urgent);
	if (coils[channel - 1] !== closed) throw notAsOrdered(channel, closed);
	const flashLeftMs = (orders.flashEndsAtMs.get(channel) ?? 0) - nowMs();
	orders.flashEndsAtMs.delete(channel);
	return flashLeftMs;
}

function notAsOrdered(channel: number, closed: boolean): StilewardError {
	return new StilewardError('device_protocol', `coil ${channel} reads ${closed ? 'open' : 'closed'} after the command`);
}

async function recloseKept({ board, log }: Parts, { kept }: Orders): Promise<void> {
	const coils = await board.read(false);
	for (const [channel, state] of kept) {
		// An order that came meanwhile has changed it.
		if (coils[channel - 1] === true || kept.get(channel) !== state) continue;
		log('relay_coil_reclosed', { channel, state });
		await board.write(channel, true, true);
	}
}

/** Beats every `heartbeatMs`, and sooner when asked; `dead` is told after `missesMax` misses in a row. */
function createHeart(on: { beat(): Promise<void>; dead(cause: unknown): void }) {
	let misses = 0;
	let stopped = false;
	let timer: NodeJS.Timeout | undefined;
	let extra: NodeJS.Timeout | undefined;

	const beat = async () => {
		try {
			await on.beat();
			misses = 0;
		} catch (cause) {
			misses++;
			if (!stopped && misses >= missesMax) return on.dead(cause);
		}
	};
	const next = () => {
		if (!stopped) timer = setTimeout(() => void beat().then(next), heartbeatMs);
	};
	next();
	return {
		beatIn(ms: number) {
			clearTimeout(extra);
			if (!stopped) extra = setTimeout(() => void beat(), ms);
		},
		stop() {
			stopped = true;
			clearTimeout(timer);
			clearTimeout(extra);
		},
	};
}
