import { StilewardError } from '../core/errors.ts';

/** Watches whether a scanner still answers. */
export interface Heartbeats {
	/** Resolves with `device_lost` when it hangs; never after `stop`. */
	readonly lost: Promise<StilewardError>;
	stop(): void;
}

/** So many questions in a row without an answer mean a scanner that hangs (GM65 manual V1.3, "heartbeat"). */
const missesMax = 3;
/** After a miss the next question comes sooner, ms. */
const retryMs = 500;

/** Asks every `intervalMs`; `ask` rejects where no answer came, within its own time limit. */
export function heartbeats(ask: () => Promise<unknown>, intervalMs: number): Heartbeats {
	const lost = Promise.withResolvers<StilewardError>();
	let misses = 0;
	let isStopped = false;
	const beat = async () => {
		const failure = await ask().then(
			() => undefined,
			(error: StilewardError) => error,
		);
		if (isStopped) return;
		misses = failure === undefined ? 0 : misses + 1;
		if (misses < missesMax) timer = setTimeout(beat, misses === 0 ? intervalMs : retryMs);
		else lost.resolve(new StilewardError('device_lost', 'the scanner answers no heartbeat', { cause: failure }));
	};
	let timer = setTimeout(beat, intervalMs);
	return {
		lost: lost.promise,
		stop() {
			isStopped = true;
			clearTimeout(timer);
		},
	};
}
