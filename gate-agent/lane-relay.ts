import { setTimeout as sleep } from 'node:timers/promises';
import type { Relay } from './core/device.ts';
import { StilewardError } from './core/errors.ts';
import type { Direction } from './core/redemption.ts';
import type { Logger } from './logger.ts';

/** The channels of the relay board that open a lane. */
export interface LaneCoils {
	readonly channel: number;
	readonly exitChannel: number;
	readonly pulseMs: number;
}

/** The relay of one lane. Neither call rejects for a board that fails: the lane is told, and the log. */
export interface LaneRelay {
	/** Opens for one visitor. False where the board failed, or where nobody wants it any more once it is free. */
	pulse(direction: Direction, isWanted: () => boolean): Promise<boolean>;
	/**
	 * Keeps the gate open beyond the agent's death, or ends that. A board that fails is told again until it obeys, is
	 * lost (it is told anew once it is back), or another order takes this one's place.
	 */
	hold(state: 'open' | 'release'): Promise<void>;
}

/** What the relay of a lane needs. */
export interface LaneRelayPorts {
	/** The open board, or undefined while it is lost. */
	readonly relay: () => Relay | undefined;
	readonly coils: LaneCoils;
	readonly monoMs: () => number;
	readonly log: Logger;
}

/** The turnstile sees two openings as two when its input was open for this long in between. */
const betweenPulsesMs = 100;

/** How long to wait before a board that failed is told again to hold or to release. */
const holdRetryMs = 500;

/** A board may still run a pulse that an agent before this one began. */
const busyTriesMax = 20;

/**
 * Makes the relay of a lane. Who comes while the pulse of the visitor before still runs waits for its end: the board
 * would refuse a second one, and the turnstile would take both for one.
 */
export function createLaneRelay({ relay, coils, monoMs, log }: LaneRelayPorts): LaneRelay {
	let restUntilMs = 0;
	let orders = 0;
	const board = () => {
		const open = relay();
		if (!open) throw new StilewardError('device_lost', 'the relay is not there');
		return open;
	};
	const pulseOnce = async (channel: number, isWanted: () => boolean) => {
		for (let tries = 1; ; tries += 1) {
			const restMs = restUntilMs - monoMs();
			if (restMs > 0) await sleep(restMs);
			// A fire or a locked lane may have come meanwhile.
			if (!isWanted()) return false;
			try {
				await board().pulse(channel, coils.pulseMs);
				restUntilMs = monoMs() + coils.pulseMs + betweenPulsesMs;
				return true;
			} catch (error) {
				if (!isBusy(error) || tries === busyTriesMax) throw error;
				restUntilMs = monoMs() + betweenPulsesMs;
			}
		}
	};
	const report = (event: string, error: unknown) => {
		if (!(error instanceof StilewardError)) throw error;
		log.error({ event, code: error.code, problem: error.message, hint: error.hint });
		return false;
	};
	const holdAll = async (state: 'hold' | 'off', isNewest: () => boolean) => {
		// People must get out of an emergency both ways, so a hold is on every channel of the lane.
		for (const channel of new Set([coils.channel, coils.exitChannel])) {
			if (isNewest()) await board().set(channel, state);
		}
	};
	return {
		pulse: (direction, isWanted) =>
			pulseOnce(direction === 'exit' ? coils.exitChannel : coils.channel, isWanted).catch((error: unknown) =>
				report('pulse_failed', error),
			),
		hold: async (state) => {
			orders += 1;
			const order = orders;
			const isNewest = () => order === orders;
			for (let told = false; isNewest(); told = true) {
				try {
					return await holdAll(state === 'open' ? 'hold' : 'off', isNewest);
				} catch (error) {
					if (!told || !(error instanceof StilewardError)) report('hold_failed', error);
					if (!relay()) return;
					await sleep(holdRetryMs);
				}
			}
		},
	};
}

/** A lane without a gate: the verdict lets the visitor in, so an opening is done as soon as it is still wanted. */
export const noGate: LaneRelay = {
	pulse: async (_direction, isWanted) => isWanted(),
	hold: async () => undefined,
};

function isBusy(error: unknown): boolean {
	return error instanceof StilewardError && error.code === 'device_busy';
}
