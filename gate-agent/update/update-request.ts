import type { JWK } from 'jose';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { StilewardError } from '../core/errors.ts';
import { compareVersions, openRelease, type Release, releaseCharsMax } from '../core/release.ts';
import { readJson, readJws } from '../core/strict-jws.ts';

/** A package and what vouches for it. `file` lies beside the request. */
const offerSchema = Type.Object(
	{ release: Type.String({ maxLength: releaseCharsMax }), file: Type.String({ pattern: '^[0-9a-f]{64}\\.deb$' }) },
	{ additionalProperties: false },
);

/** What a gate leaves for the updater: the package that it wants, and the way back to the one that it has. */
export const updateRequestSchema = Type.Object(
	{ next: offerSchema, back: offerSchema },
	{ additionalProperties: false },
);
/** @see updateRequestSchema */
export type UpdateRequest = Static<typeof updateRequestSchema>;

/** How the newest update ended, as the updater tells the gate. */
export const updateResultSchema = Type.Union([
	Type.Object({ kind: Type.Literal('installed'), version: Type.String() }),
	Type.Object({
		kind: Type.Enum(['rolled_back', 'stuck', 'refused']),
		version: Type.Optional(Type.String()),
		why: Type.String(),
	}),
]);

/** Where the updater says so; everybody may read it. */
export const resultFile = 'result.json';

/** The version that a request says that it is for, unchecked; undefined where it says none. */
export function claimedVersion(text: string): string | undefined {
	try {
		const { next } = parse(text);
		const payload = readJws(next.release)?.payload;
		const version = payload && readJson(payload)?.version;
		return typeof version === 'string' && version.length <= 32 ? version : undefined;
	} catch {
		return undefined;
	}
}

/** The name of a request in the gate's folder of updates. */
export const requestFile = 'wanted.json';

/** A package whose release was checked. */
export interface Offer {
	readonly release: Release;
	readonly file: string;
}

/** What the updater knows of the machine. */
export interface UpdateFacts {
	readonly installed: string;
	/** The newest version that ever ran here. */
	readonly newest: string;
	readonly arch: Release['arch'];
	readonly rootKey: JWK;
}

/**
 * Reads a request as a stranger's: the gate's program may have been taken over. Throws `release_invalid`, or
 * `update_impossible` where this machine must not take it.
 */
export async function openRequest(
	text: string,
	facts: UpdateFacts,
): Promise<{ readonly next: Offer; readonly back: Offer }> {
	const request = parse(text);
	const { installed, newest, arch, rootKey } = facts;
	const next = { file: request.next.file, release: await openRelease(request.next.release, rootKey) };
	const back = { file: request.back.file, release: await openRelease(request.back.release, rootKey) };
	for (const { release } of [next, back]) {
		if (release.arch !== arch) throw impossible(`the package is for ${release.arch}, this machine is ${arch}`);
	}
	// Whoever holds an old package that was signed once must not bring its faults back.
	if (compareVersions(next.release.version, newest) <= 0) {
		throw impossible(`version ${next.release.version} is not newer than ${newest}, which ran here`);
	}
	if (back.release.version !== installed) {
		throw impossible(`the way back leads to ${back.release.version}, and ${installed} is installed`);
	}
	return { next, back };
}

function parse(text: string): UpdateRequest {
	try {
		const value: unknown = JSON.parse(text);
		if (Check(updateRequestSchema, value)) return value;
	} catch {
		// What stands in it is not for a log.
	}
	throw impossible('the request is damaged');
}

/** Why this machine does not take an update. */
export function impossible(why: string): StilewardError {
	return new StilewardError('update_impossible', why);
}
