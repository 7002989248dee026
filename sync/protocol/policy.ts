import Type from 'typebox';
import { Check } from 'typebox/value';
import type { Policy } from '../../gate-agent/core/policy.ts';
import { className, eventId } from './fields.ts';

const closed = { additionalProperties: false };
const count = (maximum: number) => Type.Optional(Type.Integer({ minimum: 1, maximum }));
const instantMs = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 });
const name = Type.String({ pattern: '^[a-z0-9_-]{1,32}$' });

/** The `ClassPolicy` of the core. */
const classPolicySchema = Type.Object(
	{
		allowance: Type.Enum(['ticket', 'day', 'session', 'zone']),
		reentry: Type.Enum(['none', 'after_exit']),
		lane: Type.Enum(['open', 'cue', 'confirm']),
		cue: Type.Optional(Type.Enum(['check_height', 'check_id', 'check_card', 'assist', 'welcome'])),
		group: Type.Enum(['single', 'run']),
		offline: Type.Enum(['admit', 'refuse']),
		unverifiedPerHour: count(100_000),
		unverifiedLimit: Type.Enum(['alarm', 'refuse']),
		homeOnly: Type.Boolean(),
		giveBack: Type.Boolean(),
		passageTimeoutMs: count(600_000),
		clockUntrusted: Type.Enum(['admit', 'refuse']),
	},
	closed,
);

/** The core's `Policy` of an event, whole, as it is given to a server and by the feed to devices. */
export const policySchema = Type.Object(
	{
		evt: eventId,
		timeZone: Type.String({ pattern: '^[A-Za-z0-9_+/-]{1,64}$' }),
		dayStartsAtMinutes: Type.Integer({ minimum: 0, maximum: 1_439 }),
		classes: Type.Record(className, classPolicySchema),
		unknownClass: Type.Enum(['admit', 'staff']),
		sessions: Type.Record(
			name,
			Type.Object(
				{
					fromMs: instantMs,
					untilMs: instantMs,
					graceMs: Type.Integer({ minimum: 0, maximum: 86_400_000 }),
					postponedMs: Type.Integer({ minimum: -31_536_000_000, maximum: 31_536_000_000 }),
				},
				closed,
			),
		),
		capacity: count(10_000_000),
		listAgeMaxMinutes: count(525_600),
		staleList: Type.Optional(Type.Enum(['alarm', 'refuse'])),
	},
	closed,
);

/** Whether a value is a policy that this program understands. A device keeps the rules that it has where it is not. */
export function isPolicy(value: unknown): value is Policy {
	return Check(policySchema, value);
}
