import Type, { type Static } from 'typebox';
import { cursorSchema } from './cursor.ts';
import { deviceEpoch, laneName, sha256Text } from './fields.ts';
import { configReportSchema } from './gate-config.ts';
import { updateReportSchema } from './release.ts';

const word = Type.String({ pattern: '^[a-z0-9_:.-]{1,64}$' });
const milliseconds = Type.Number({ minimum: -1e15, maximum: 1e15 });

/** Lanes of one report. */
export const reportLanesMax = 64;

/**
 * `POST /v1/report`: how a device stands, for the people who look after it. It is sent when the device comes online, when
 * something changes, and now and then.
 */
export const reportSchema = Type.Object(
	{
		version: Type.String({ minLength: 1, maxLength: 32, description: 'Version of its program.' }),
		cursor: Type.Optional({
			...cursorSchema,
			description:
				'What it has applied, read before `journal`: once the server has those rows, all that it did until then is here.',
		}),
		journal: Type.Optional(
			Type.Object(
				{
					epoch: deviceEpoch,
					head: Type.Integer({ minimum: 0, description: 'Its newest row, 0 where there is none.' }),
				},
				{ additionalProperties: false },
			),
		),
		waiting: Type.Integer({ minimum: 0, description: 'Journal rows that the server has not acknowledged.' }),
		listAgeMs: Type.Optional(
			Type.Integer({ minimum: 0, description: 'Since its lists were confirmed to be current.' }),
		),
		clockTrusted: Type.Boolean(),
		clockOffsetMs: Type.Optional({ ...milliseconds, description: 'Server time minus its clock.' }),
		roundTripMs: Type.Optional(milliseconds),
		config: Type.Optional(configReportSchema),
		update: Type.Optional(updateReportSchema),
		lanes: Type.Array(
			Type.Object(
				{
					lane: laneName,
					mode: word,
					phase: word,
					emergency: Type.Boolean(),
					missing: Type.Array(word, { maxItems: 16, description: 'Devices that the lane cannot work without.' }),
					alarms: Type.Array(word, { maxItems: 16 }),
				},
				{ additionalProperties: false },
			),
			{ maxItems: reportLanesMax },
		),
	},
	{ additionalProperties: false },
);
/** @see reportSchema */
export type Report = Static<typeof reportSchema>;

/**
 * What the server knows of the device. A device whose own journal of this epoch ends before `through`, or has another row
 * there, has got an old disk back: it begins a new epoch before it admits again.
 */
export const reportResponseSchema = Type.Object({
	journal: Type.Optional(
		Type.Object({
			epoch: deviceEpoch,
			through: Type.Integer({ minimum: 0 }),
			hash: Type.Optional({ ...sha256Text, description: 'Chain hash of row `through`.' }),
		}),
	),
	status: Type.Enum(['active', 'quarantined']),
});

/** How the version of a handheld begins: `handheld/0.1.0`. A gate says its version alone. */
export const handheldVersionMark = 'handheld/';

/** What kind of device says that it is of this version. */
export function deviceKind(version: string): 'gate' | 'handheld' {
	return version.startsWith(handheldVersionMark) ? 'handheld' : 'gate';
}
