import type { Move } from './lane-move.ts';
import { say, when } from './lane-move.ts';
import type { LaneMode, LaneState } from './lane-state.ts';
import type { Direction } from './redemption.ts';
import type { Refusal } from './refusal.ts';

/** The mode that a refusal `lane_closed` names. */
export type ClosedMode = (Refusal & { reason: 'lane_closed' })['mode'];

/** Which directions the relay opens for, per mode. */
const opensFor: Readonly<Record<LaneMode, readonly Direction[]>> = {
	entry: ['entry'],
	exit: ['exit'],
	both: ['entry', 'exit'],
	free: [],
	locked: [],
	drop_arm: [],
};

/** Why the relay must not be pulsed in a direction now; undefined where it may. */
export function closedFor(state: LaneState, direction: Direction): ClosedMode | undefined {
	if (state.emergency) return 'emergency';
	if (missingOf(state).length > 0) return 'out_of_service';
	return opensFor[state.mode].includes(direction) ? undefined : state.mode;
}

/** What the lane lacks to work: its missing devices, and the state of the fire alarm where that is not known. */
export function missingOf({ missing, fire }: LaneState): readonly string[] {
	return fire !== 'unknown' || missing.includes('fire') ? missing : [...missing, 'fire'];
}

/** Whether a passage without a grant is one that the lane must not let happen. */
export function isControlled({ mode, emergency }: LaneState): boolean {
	return !emergency && mode !== 'free' && mode !== 'drop_arm';
}

/** Tells the visitor that the lane is closed, unless it says so anyway or somebody else is on the way through. */
export function sayClosed(mode: ClosedMode): Move {
	const closed = say({ kind: 'refused', refusal: { reason: 'lane_closed', mode } });
	const isShown = mode === 'free' || mode === 'emergency' || mode === 'out_of_service';
	return (state) => when(state.phase.kind !== 'passing' && !isShown, closed)(state);
}
