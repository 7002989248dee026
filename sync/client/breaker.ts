import { backoff } from './backoff.ts';
import type { ClientClock } from './client-clock.ts';

/** What a breaker needs. */
export interface BreakerDeps {
	readonly clock: ClientClock;
	readonly random: () => number;
	/** Asks the authority for something that costs nothing. True where it answered. Never rejects. */
	readonly probe: (signal: AbortSignal) => Promise<boolean>;
	/** Ends the probing. */
	readonly signal: AbortSignal;
}

/**
 * Says whether the authority may be asked. After a failure it may not for a growing, jittered time, so that not every
 * lane waits its whole budget in turn; a probe in the background then finds out, and after it one claim may try. Only
 * a claim that is answered closes the breaker: an authority may answer a probe and hang on every claim.
 */
export interface Breaker {
	/** Takes the right to ask. Whoever has it calls `succeeded` or `failed`. */
	pass(): boolean;
	succeeded(): void;
	failed(): void;
	/** Whether `pass` would be given; takes nothing. */
	isOpen(): boolean;
}

/** The first and the longest time for which the authority is left alone. */
const restMs = { first: 500, max: 30_000 } as const;

/** Makes a breaker that lets the first claim through. */
export function createBreaker(deps: BreakerDeps): Breaker {
	let state: 'closed' | 'resting' | 'trial' | 'trying' = 'closed';
	const rests = () => backoff({ firstMs: restMs.first, maxMs: restMs.max, random: deps.random });
	let rest = rests();

	async function wakeUp(): Promise<void> {
		while (!deps.signal.aborted) {
			await deps.clock.sleep(rest.next().value, deps.signal);
			if (!deps.signal.aborted && (await deps.probe(deps.signal))) {
				state = 'trial';
				return;
			}
		}
	}

	return {
		isOpen: () => state === 'resting' || state === 'trying',
		pass: () => {
			if (state === 'trial') {
				state = 'trying';
				return true;
			}
			return state === 'closed';
		},
		succeeded: () => {
			if (state === 'resting' || state === 'trial') return;
			state = 'closed';
			rest = rests();
		},
		failed: () => {
			if (state === 'resting' || state === 'trial') return;
			state = 'resting';
			void wakeUp();
		},
	};
}
