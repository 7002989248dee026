import { advanceClock, type Clock, type ClockTick, learnServerTime, startClock } from './clock.ts';

/** The running clock of an agent. */
export interface AgentClock {
	/** The time in milliseconds since 1970, or a lower bound of it where it is not trusted. */
	read(): Clock;
	/** Takes a time that the venue's server has signed, milliseconds since 1970. */
	learn(serverMs: number): void;
	/** Monotonic milliseconds, for deadlines. */
	readonly monoMs: () => number;
}

/** The two clocks of the system. */
export interface ClockSource {
	readonly systemMs: () => number;
	readonly monoMs: () => number;
}

/** What the clock starts from: times that are certainly past, and the epoch that a root-signed reset began. */
export interface ClockStart {
	readonly floorsMs: readonly number[];
	readonly epoch: number;
	/** Told when the clock becomes doubted or trusted. */
	readonly onChange: (clock: Clock) => void;
}

/** Keeps the core's clock going over the system's clocks. */
export function createAgentClock(source: ClockSource, { floorsMs, epoch, onChange }: ClockStart): AgentClock {
	const tick = (): ClockTick => ({ systemMs: source.systemMs(), monoMs: source.monoMs() });
	let clock = startClock(tick(), floorsMs, epoch);
	if (clock.doubt) onChange(clock);
	const become = (next: Clock): Clock => {
		const changed = next.doubt !== clock.doubt;
		clock = next;
		if (changed) onChange(clock);
		return clock;
	};
	return {
		monoMs: source.monoMs,
		read: () => become(advanceClock(clock, tick())),
		learn: (serverMs) => void become(learnServerTime(clock, tick(), serverMs)),
	};
}
