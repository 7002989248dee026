import { setTimeout as sleep } from 'node:timers/promises';

/** Why this is no moment to end lanes. */
export type Busy = 'passage' | 'fire' | 'emergency';

/** Lanes that are to be ended between two visitors. */
export interface WorkingLanes {
	/** Undefined while nobody is on the way through, no fire burns and no emergency is held. */
	busy(): Busy | undefined;
	/** Takes nobody in any more. Resolves once nobody is on the way through, or after so long. */
	drain(withinMs: number): Promise<void>;
	/** Takes visitors in again. */
	resume(): void;
}

/** How long lanes are waited for. */
export interface RestLimits {
	/** How long a moment without anybody is waited for before nobody is taken in any more. */
	readonly patienceMs: number;
	readonly signal: AbortSignal;
}

/** How often lanes are looked at. */
const lookMs = 100;

/** How long lanes take nobody in while the last visitors pass; a wheelchair may take longer, and is then let through. */
const drainMs = 15_000;

/**
 * Resolves with the lanes shut to newcomers and nobody on the way through: a moment that comes by itself, or one that is made
 * where it does not come in time. A fire and an emergency are waited for without end. False where the signal ended it.
 */
export async function untilAtRest(lanes: WorkingLanes, { patienceMs, signal }: RestLimits): Promise<boolean> {
	let waitedMs = 0;
	while (!signal.aborted) {
		const busy = lanes.busy();
		if (busy === undefined || (busy === 'passage' && waitedMs >= patienceMs)) {
			await lanes.drain(drainMs);
			if (lanes.busy() === undefined) return true;
			lanes.resume();
			waitedMs = 0;
		}
		// Lanes that are held open are no crowd that keeps the lanes busy.
		if (lanes.busy() === 'passage') waitedMs += lookMs;
		await sleep(lookMs, undefined, { signal }).catch(() => undefined);
	}
	return false;
}
