import Type, { type Static } from 'typebox';
import { releaseCharsMax, releaseSchema } from '../../gate-agent/core/release.ts';

const { version, arch, sha256 } = releaseSchema.properties;
const closed = { additionalProperties: false } as const;

/** `GET /v1/release`: which package a gate asks for. */
export const releaseQuerySchema = Type.Object({ version, arch }, closed);

/** What the venue's root key says of that package. */
export const releaseResponseSchema = Type.Object({
	release: Type.String({ maxLength: releaseCharsMax, description: 'JWS by the root key of the venue.' }),
});

/** `GET /v1/package`: the bytes of one package. A `Range` of `bytes=N-` goes on after N bytes. */
export const packageQuerySchema = Type.Object({ sha256 }, closed);

/** The states of an update, as a gate reports it. */
export const updateStates = ['fetching', 'waiting', 'asked', 'installed', 'refused'] as const;

/** How the update that a gate is to make fares, in its report. `waiting`: for its hours, or for a moment without visitors. */
export const updateReportSchema = Type.Object(
	{
		version,
		state: Type.Enum([...updateStates]),
		why: Type.Optional(Type.String({ minLength: 1, maxLength: 400 })),
	},
	closed,
);
/** @see updateReportSchema */
export type UpdateReport = Static<typeof updateReportSchema>;
