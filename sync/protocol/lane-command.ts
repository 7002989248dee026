import Type from 'typebox';
import { Check } from 'typebox/value';
import type { LaneCommand } from '../../gate-agent/core/lane-state.ts';
import { className } from './fields.ts';

const closed = { additionalProperties: false };
const by = Type.String({ minLength: 1, maxLength: 64, description: 'Who gives the order, for the journal.' });

/**
 * Orders that may come from afar: the core's `LaneCommand` without `emergency_reset`, which is given at the lane alone by
 * somebody who sees it.
 */
const laneCommandSchema = Type.Union([
	Type.Object(
		{
			kind: Type.Literal('set_mode'),
			mode: Type.Enum(['entry', 'exit', 'both', 'free', 'locked', 'drop_arm']),
			by,
		},
		closed,
	),
	Type.Object(
		{
			kind: Type.Literal('staff_entry'),
			cls: className,
			count: Type.Integer({ minimum: 1, maximum: 100 }),
			by,
			reason: Type.String({ minLength: 1, maxLength: 200 }),
		},
		closed,
	),
	...(['confirm', 'reject', 'stop_group', 'emergency_open'] as const).map((kind) =>
		Type.Object({ kind: Type.Literal(kind), by }, closed),
	),
]);

/** Whether a value is an order that a lane takes from afar. */
export function isLaneCommand(value: unknown): value is Exclude<LaneCommand, { kind: 'emergency_reset' }> {
	return Check(laneCommandSchema, value);
}
