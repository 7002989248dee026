import { clear, flushPassages, raise } from './lane-alarms.ts';
import type { Move } from './lane-move.ts';
import { become, emit, inOrder, stay, when } from './lane-move.ts';
import { endOpen } from './lane-passage.ts';
import type { Emergency, FireState, LaneState } from './lane-state.ts';

/** The fire alarm's contact was read. The wiring opens the gate; the lane observes and lets nothing re-lock. */
export function onFire(fire: FireState): Move {
	return (state) => {
		if (fire === 'unknown' && !state.config.fireInput) return stay(state);
		return inOrder(
			become({ fire }),
			when(fire === 'active', inOrder(begin(isOpening(state) ? 'open' : 'keep', 'fire'), raise('fire'))),
			when(fire === 'clear', clear('fire')),
		)(state);
	};
}

/** Whether the gate is, or may still be, open by the relay: the turnstile stays unlocked for the time of a passage. */
function isOpening({ phase, hold, pulsedMs, nowMs, config }: LaneState): boolean {
	// A board that was just opened may stand either way; it is left as it stands.
	if (phase.kind === 'passing' || hold === 'open') return true;
	return pulsedMs !== undefined && nowMs - pulsedMs < config.passageTimeoutMs;
}

/** A person orders the gate open. */
export function openForEmergency(by: string): Move {
	return inOrder(begin('open', by), become({ emergency: { hold: 'open' } }), raise('emergency_open'));
}

/** Latches the emergency: nothing is checked, redeemed or pulsed, and what is open costs nobody a use. */
function begin(hold: Emergency['hold'], by: string): Move {
	return (state) => {
		if (state.emergency) return stay(state);
		return inOrder(
			endOpen('emergency'),
			flushPassages,
			become({ emergency: { hold }, phase: { kind: 'idle' }, queue: [], late: [], verdict: undefined }),
			recordLane(by),
		)(state);
	};
}

/** Ends the emergency, by somebody at the lane. Refused unless the fire alarm is known to be over. */
export function resetEmergency(by: string): Move {
	return (state) => {
		if (!state.emergency || state.fire !== 'clear') return stay(state);
		return inOrder(
			flushPassages,
			become({ emergency: undefined }),
			clear('fire'),
			clear('emergency_open'),
			recordLane(by),
		)(state);
	};
}

/** Writes down mode and emergency, so that a restart continues them. */
export function recordLane(by: string): Move {
	return (state) => {
		const { config, mode, emergency } = state;
		const fact = { kind: 'lane', lane: config.id, mode, emergency: emergency !== undefined, by } as const;
		return emit({ kind: 'record', fact })(state);
	};
}
