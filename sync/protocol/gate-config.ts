import Type, { type Static } from 'typebox';
import { sha256Text } from './fields.ts';

/** Bytes of one pushed configuration, UTF-8: sixteen lanes with every option written are 16 KB. */
export const gateConfigBytesMax = 64 * 1024;

/** Characters of a reason why a gate refused a configuration. */
export const configReasonMax = 400;

/** What people call a gate: the name of its enrollment code. A configuration stays with the name when the box is swapped. */
export const gateName = Type.String({ minLength: 1, maxLength: 64, description: 'Name of the gate.' });

/** Which version of a gate's configuration: 1, 2, 3 … by gate. */
export const configVersion = Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1, description: 'Version.' });

/**
 * The parts of a gate's configuration that its server may give: who it is to home tickets, its lanes with their devices,
 * modes and timings, the venue's time and patience, how much it logs, and which version it is to run. Everything else is the
 * box's own: where its data and keys lie, who reaches its pages, and by what it reaches the server. None of these parts can
 * cut it off from there.
 */
export const fleetParts = ['agent', 'lanes', 'venue', 'log', 'update'] as const;

/** One version as it travels. */
export const configOfferSchema = Type.Object({
	version: configVersion,
	sha256: { ...sha256Text, description: 'SHA-256 of `text`: the same number after a restore may be another text.' },
	text: Type.String({ minLength: 1, maxLength: gateConfigBytesMax, description: 'YAML, as it was pushed.' }),
});
/** @see configOfferSchema */
export type ConfigOffer = Static<typeof configOfferSchema>;

/** `GET /v1/config`: which version the gate has heard of, as `VERSION.SHA256`; its text is not sent again. */
export const configQuerySchema = Type.Object(
	{ heard: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,9}\\.[A-Za-z0-9_-]{43}$', maxLength: 54 })) },
	{ additionalProperties: false },
);
/** @see configQuerySchema */
export type ConfigQuery = Static<typeof configQuerySchema>;

/**
 * What the server has for the gate of this device. `newest` is absent where nothing was pushed, and where the gate has heard
 * of it; `proven`, only for a gate that has heard of none, is the newest version that any box of this name has confirmed.
 */
export const configResponseSchema = Type.Object({
	gate: gateName,
	newest: Type.Optional(configOfferSchema),
	proven: Type.Optional(configOfferSchema),
});
/** @see configResponseSchema */
export type ConfigResponse = Static<typeof configResponseSchema>;

/** A version that a gate will not try again, and why. */
export const refusedConfigSchema = Type.Object(
	{ version: configVersion, why: Type.String({ minLength: 1, maxLength: configReasonMax }) },
	{ additionalProperties: false },
);

/**
 * Which configuration a gate runs, in its report. `own`: that of its own file; `trial`: a pushed one whose lanes are not all
 * ready yet; `confirmed`: a pushed one that has proven itself. A device sends it only to a server that has pushed one.
 */
export const configReportSchema = Type.Object(
	{
		state: Type.Enum(['own', 'trial', 'confirmed']),
		version: Type.Optional(configVersion),
		refused: Type.Optional(refusedConfigSchema),
	},
	{ additionalProperties: false },
);
/** @see configReportSchema */
export type ConfigReport = Static<typeof configReportSchema>;

/** Brackets of a configuration, and dashes or question marks that nest within one of its lines. */
const bracketsMax = 4_096;
const nestedInLineMax = 64;

/** Whether a text could nest so deep that a parser of YAML, whose time grows with the square of it, would stop its program. */
export function nestsTooDeep(text: string): boolean {
	const brackets = text.match(/[[{]/g)?.length ?? 0;
	return (
		brackets > bracketsMax || text.split('\n').some((line) => (line.match(/[-?]\s/g)?.length ?? 0) > nestedInLineMax)
	);
}

/** How a version is named in a question for a newer one. */
export function heardText({ version, sha256 }: Pick<ConfigOffer, 'version' | 'sha256'>): string {
	return `${version}.${sha256}`;
}

/** Why a parsed configuration may not be pushed to a gate; undefined where nothing of this is wrong with it. */
export function whyNotPushable(value: unknown, gate: string): string | undefined {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it is no mapping of keys';
	const own = Object.keys(value).filter((key) => !(fleetParts as readonly string[]).includes(key));
	if (own.length > 0) {
		const named = own.slice(0, 8).map((key) => JSON.stringify(key.slice(0, 32)));
		return `${named.join(', ')}: only ${fleetParts.join(', ')} may come from the server; the rest is the box's own`;
	}
	const { agent, lanes } = value as { readonly agent?: unknown; readonly lanes?: unknown };
	// Home tickets are admitted by this name: two gates of one name would admit one ticket twice.
	if (agent !== undefined && agent !== gate) return `agent: must be ${JSON.stringify(gate)}, the name of the gate`;
	return lanes === undefined ? 'lanes: is missing' : undefined;
}
