import type { LaneEffect, LaneState, Screen } from './lane-state.ts';

/** A state and what is to be done to get there. */
export type Step = readonly [LaneState, readonly LaneEffect[]];

/** A part of a step. Moves are joined with `inOrder`. */
export type Move = (state: LaneState) => Step;

/** Nothing changes. */
export const stay: Move = (state) => [state, []];

/** Makes the moves one after the other and collects their effects in that order. */
export function inOrder(...moves: readonly Move[]): Move {
	return (start) => moves.reduce<Step>((done, move) => andThen(done, move), [start, []]);
}

/** Goes on from where a step has led. */
export function andThen([state, effects]: Step, move: Move): Step {
	const [next, more] = move(state);
	return [next, more.length === 0 ? effects : [...effects, ...more]];
}

/** Replaces fields of the state. */
export function become(change: Partial<LaneState>): Move {
	return (state) => [{ ...state, ...change }, []];
}

/** Has something done. */
export function emit(...effects: readonly LaneEffect[]): Move {
	return (state) => [state, effects];
}

/** Makes the move only where the condition holds. */
export function when(condition: boolean, move: Move): Move {
	return condition ? move : stay;
}

/** Says something to the visitor, also where the same was said just now. */
export function say(screen: Screen): Move {
	return (state) => {
		const verdict = { id: state.nextId, screen, untilMs: state.nowMs + state.config.verdictMs };
		return [{ ...state, verdict, nextId: state.nextId + 1 }, []];
	};
}

/** Leaves a screen on until `untilMs`, without saying it again. */
export function keepSaying(screen: Screen, untilMs: number): Move {
	return (state) => [{ ...state, verdict: { id: undefined, screen, untilMs } }, []];
}
