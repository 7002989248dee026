/** The clock may run behind the floor or its own past by this much before it is doubted. */
export const clockToleranceMs = 120_000;

/** A running clock that jumps ahead by more than this is not followed: an operator restarts the agent. */
export const clockForwardStepMaxMs = 24 * 3_600_000;

/**
 * What an agent knows of the time. All values are milliseconds; `atMs` and `nowMs` since 1970, `monoMs` monotonic.
 */
export interface Clock {
	/** Starts at 1; only a reset that the root key signed raises it. Time never goes back within an epoch. */
	readonly epoch: number;
	/** The newest reading; no later reading is older. */
	readonly nowMs: number;
	readonly monoMs: number;
	/** False while `nowMs` is only a lower bound of the time. */
	readonly trusted: boolean;
	readonly doubt?: ClockDoubt;
	/** Time of the venue's server minus the monotonic clock. Once it is known it takes the place of the system's clock. */
	readonly serverOffsetMs?: number;
	/** What the server's last time was doubted for. */
	readonly serverDoubt?: ClockDoubt;
}

/**
 * Why a clock is doubted: it shows a time before what is known to be past, it was set back, it jumped ahead by more than a
 * day while the agent ran, or the venue's server says a time that lies far from a clock that seemed right.
 */
export type ClockDoubt = 'before_floor' | 'stepped_back' | 'stepped_forward' | 'server_ahead' | 'server_behind';

/** One look at the system's two clocks. */
export interface ClockTick {
	readonly systemMs: number;
	readonly monoMs: number;
}

/**
 * Starts the clock. The floor is the newest of the times that are certainly past: last signed server time, last ledger
 * time, build time. A system clock before the floor (no battery: 1970) is not believed; the floor, moved on by the
 * monotonic clock, then stands for the time as a bound.
 */
export function startClock(tick: ClockTick, floorsMs: readonly number[], epoch: number): Clock {
	const floorMs = Math.max(0, ...floorsMs);
	const trusted = tick.systemMs >= floorMs - clockToleranceMs;
	return {
		epoch,
		nowMs: Math.max(tick.systemMs, floorMs),
		monoMs: tick.monoMs,
		trusted,
		...(trusted ? {} : { doubt: 'before_floor' as const }),
	};
}

/** Moves the clock on. The reading never goes back, whatever the system clock does. */
export function advanceClock(clock: Clock, tick: ClockTick): Clock {
	const { epoch, serverOffsetMs, serverDoubt } = clock;
	const expectedMs = expectedAt(clock, tick);
	const systemMs = serverOffsetMs === undefined ? tick.systemMs : tick.monoMs + serverOffsetMs;
	const aheadMs = systemMs - expectedMs;
	const next = {
		...{ epoch, monoMs: tick.monoMs },
		...(serverOffsetMs !== undefined && { serverOffsetMs }),
		...(serverDoubt !== undefined && { serverDoubt, doubt: serverDoubt }),
	};
	if (!clock.trusted) {
		return aheadMs >= 0
			? { ...next, nowMs: systemMs, trusted: true }
			: { ...next, nowMs: expectedMs, trusted: false, doubt: 'before_floor' };
	}
	if (aheadMs > clockForwardStepMaxMs) return { ...next, nowMs: expectedMs, trusted: true, doubt: 'stepped_forward' };
	if (aheadMs < -clockToleranceMs) return { ...next, nowMs: expectedMs, trusted: true, doubt: 'stepped_back' };
	return { ...next, nowMs: Math.max(clock.nowMs, systemMs), trusted: true };
}

function expectedAt(clock: Clock, tick: ClockTick): number {
	return clock.nowMs + Math.max(0, tick.monoMs - clock.monoMs);
}

/**
 * Takes the time that the venue's server has signed. A clock that is not trusted follows it however far it is, which is
 * how a box without a battery learns the time. One that is trusted follows small differences only: a server that is
 * a day ahead must not carry a fleet along, and time never goes back.
 */
export function learnServerTime(clock: Clock, tick: ClockTick, serverMs: number): Clock {
	const { serverDoubt: _, doubt: __, ...now } = advanceClock(clock, tick);
	const aheadMs = serverMs - expectedAt(clock, tick);
	if (clock.trusted && aheadMs > clockForwardStepMaxMs) return doubted(now, 'server_ahead');
	if (aheadMs < -clockToleranceMs) return doubted(now, 'server_behind');
	const offset = { serverOffsetMs: serverMs - tick.monoMs };
	return { ...now, ...offset, nowMs: Math.max(now.nowMs, serverMs), trusted: true };
}

function doubted(clock: Clock, serverDoubt: ClockDoubt): Clock {
	return { ...clock, serverDoubt, doubt: serverDoubt };
}
