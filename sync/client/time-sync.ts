import type { SignedTime } from '../protocol/signed-time.ts';
import { type CallDeps, callRoute, type Outcome } from './call.ts';

/** One measured answer. All values are milliseconds. */
export interface TimeSample {
	/** Server time minus the monotonic clock, at the middle of the round trip. */
	readonly offsetMs: number;
	readonly roundTripMs: number;
	/** Monotonic time of the answer. */
	readonly atMs: number;
}

/** What asking for the time needs. */
export interface TimeDeps extends CallDeps {
	/** 128 random bits, base64url. */
	readonly newNonce: () => string;
	/** Opens a signed time (`openTime`) with the keys of the server. */
	readonly open: (jws: string, nonce: string) => Promise<SignedTime | undefined>;
	/** Told of each signed time, milliseconds since 1970: a floor of the agent's clock. */
	readonly onFloor: (serverMs: number) => void;
}

/** The server's time by the best of the newest answers. */
export interface TimeSync {
	/** Asks once. `ok` is also the proof that the server itself was reached: its answer carried our nonce. */
	measure(signal?: AbortSignal): Promise<Outcome<TimeSample>>;
	/** The best offset that is known, or undefined before the first answer. */
	offset(): TimeSample | undefined;
}

const timeTimeoutMs = 5_000;
const samplesMax = 8;
/** A quartz that is 50 ppm wrong is 180 ms off after an hour: older answers say less than a slow new one. */
const sampleAgeMaxMs = 3_600_000;

/** Makes a time sync. */
export function createTimeSync(deps: TimeDeps): TimeSync {
	let samples: readonly TimeSample[] = [];
	return {
		measure: async (signal) => {
			const nonce = deps.newNonce();
			const sentMs = deps.clock.monoMs();
			const outcome = await callRoute(deps, { name: 'time', request: { nonce }, timeoutMs: timeTimeoutMs, signal });
			const atMs = deps.clock.monoMs();
			if (outcome.kind !== 'ok') return outcome;
			const time = await deps.open(outcome.body.time, nonce);
			if (time === undefined) return { kind: 'bad_answer', why: 'the time is not signed for this question' };
			deps.onFloor(time.nowMs);
			const roundTripMs = atMs - sentMs;
			const sample = { offsetMs: time.nowMs + roundTripMs / 2 - atMs, roundTripMs, atMs };
			samples = [sample, ...samples].slice(0, samplesMax);
			return { kind: 'ok', body: sample };
		},
		offset: () => bestSample(samples, deps.clock.monoMs()),
	};
}

/** The sample with the shortest round trip among those that are not too old; of the old ones the newest. */
export function bestSample(samples: readonly TimeSample[], nowMs: number): TimeSample | undefined {
	const fresh = samples.filter(({ atMs }) => nowMs - atMs <= sampleAgeMaxMs);
	const [first, ...rest] = fresh.length > 0 ? fresh : samples.slice(0, 1);
	return rest.reduce((best, each) => (best && best.roundTripMs <= each.roundTripMs ? best : each), first);
}
