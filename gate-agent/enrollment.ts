import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { publicJwkSchema } from '../sync/protocol/public-key.ts';
import { StilewardError } from './core/errors.ts';
import { onlyPublic } from './core/jwk.ts';
import { createKeyFolder, publicMode, readKeyJson, replaceKeyFile, secretMode } from './keys/key-files.ts';

/** Where a data folder keeps what its gate is to a venue. */
export const enrollmentFiles = {
	enrollment: 'enrollment.json',
	key: 'device.private.jwk',
	/** That a server took a code for none, until one is taken: whoever looks at a gate that does not start needs to know. */
	refused: 'enrollment-refused.json',
} as const;

const enrollmentSchema = Type.Object(
	{
		url: Type.String(),
		/** SHA-256 of the pinned SPKI, base64url. */
		fingerprint: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
		server: Type.String(),
		venue: Type.String(),
		/** RFC 7638 thumbprint of the device key. */
		device: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
		/** Who signs key manifests. */
		rootKey: publicJwkSchema,
		/** Who signs the server's time. */
		timeKeys: Type.Array(publicJwkSchema, { minItems: 1 }),
	},
	{ additionalProperties: false },
);

/** What a gate keeps from its enrollment: all that it trusts of the venue hangs on it. */
export type Enrollment = Static<typeof enrollmentSchema>;

/** An enrollment with the key that proves who the device is. */
export interface EnrolledGate {
	readonly enrollment: Enrollment;
	readonly key: JWK;
}

/**
 * Reads the enrollment of a data folder, undefined where there is none. Throws `keys_missing` and `keys_invalid` for one
 * that is damaged.
 */
export async function readEnrollment(dir: string): Promise<EnrolledGate | undefined> {
	if (!existsSync(join(dir, enrollmentFiles.enrollment))) return undefined;
	const enrollment = await readKeyJson(dir, enrollmentFiles.enrollment);
	if (!Check(enrollmentSchema, enrollment)) {
		throw new StilewardError('keys_invalid', `${join(dir, enrollmentFiles.enrollment)} is no enrollment`);
	}
	const key = await readKeyJson(dir, enrollmentFiles.key);
	// Throws `keys_invalid` for what is no key; the text of it stays out of the message.
	onlyPublic(key);
	return { enrollment, key };
}

/** Keeps an enrollment, the key first: without it the rest says nothing. Throws `output_failed`. */
export async function saveEnrollment(dir: string, { enrollment, key }: EnrolledGate): Promise<void> {
	await createKeyFolder(dir);
	await replaceKeyFile(dir, { file: enrollmentFiles.key, text: `${JSON.stringify(key)}\n`, mode: secretMode });
	await replaceKeyFile(dir, {
		file: enrollmentFiles.enrollment,
		text: `${JSON.stringify(enrollment, null, '\t')}\n`,
		mode: publicMode,
	});
	await rm(join(dir, enrollmentFiles.refused), { force: true });
}

const refusalSchema = Type.Object({ url: Type.String(), atMs: Type.Integer() }, { additionalProperties: false });

/** A code that a server did not take: which server, and when by this machine's clock. */
export type EnrollmentRefusal = Static<typeof refusalSchema>;

/** Notes that a server did not take a code, where there is a folder already: an attempt makes none. Throws `output_failed`. */
export async function noteRefusal(dir: string, refusal: EnrollmentRefusal): Promise<void> {
	if (!existsSync(dir)) return;
	const text = `${JSON.stringify(refusal)}\n`;
	await replaceKeyFile(dir, { file: enrollmentFiles.refused, text, mode: publicMode });
}

/** The newest refusal of a data folder that was never enrolled; undefined where there is none that can be read. */
export async function readRefusal(dir: string): Promise<EnrollmentRefusal | undefined> {
	const refusal = await readKeyJson(dir, enrollmentFiles.refused).catch(() => undefined);
	return Check(refusalSchema, refusal) ? refusal : undefined;
}
