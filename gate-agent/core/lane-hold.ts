import type { Move, Step } from './lane-move.ts';
import { become } from './lane-move.ts';
import type { LaneEffect, LaneState } from './lane-state.ts';

/** What the mode and an emergency ask of the relay; `keep` touches nothing. */
function wantedHold({ emergency, mode }: LaneState): 'open' | 'released' | 'keep' {
	if (emergency) return emergency.hold;
	return mode === 'free' ? 'open' : 'released';
}

/**
 * Whether the relay may be told now. While the fire alarm's state is unknown nothing is touched, except that a
 * person's order to open always opens. A board that is missing is told again once it is opened (`doubtHold`).
 */
function mayTell(state: LaneState, wanted: 'open' | 'released'): boolean {
	if (state.emergency) return wanted === 'open';
	return state.fire === 'clear';
}

/**
 * Tells the relay to hold open or to release, where that differs from what it was told. An emergency opens before
 * anything is written, so that a full disk cannot delay it. A release also comes first and the free mode's hold
 * last, so that after a crash in between, what the ledger remembers still opens.
 */
export function withHold([state, effects]: Step): Step {
	const wanted = wantedHold(state);
	if (wanted === 'keep' || wanted === state.hold || !mayTell(state, wanted)) return [state, effects];
	const hold: LaneEffect = { kind: 'hold', state: wanted === 'open' ? 'open' : 'release' };
	const isLast = wanted === 'open' && !state.emergency;
	return [{ ...state, hold: wanted }, isLast ? [...effects, hold] : [hold, ...effects]];
}

/**
 * A relay board that was opened may hold the gate open since an earlier life of the agent, or may have forgotten that
 * it should: it is told again, by the rules of `mayTell`.
 */
export const doubtHold: Move = become({ hold: 'unknown' });
