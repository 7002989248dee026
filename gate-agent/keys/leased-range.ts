import type { JWK } from 'jose';
import { StilewardError } from '../core/errors.ts';
import { kidOf, onlyPublic } from '../core/jwk.ts';
import { type KeyManifest, signManifest } from '../core/key-manifest.ts';
import { withFolderLock } from './folder-lock.ts';
import { highestIssued } from './issued-numbers.ts';
import { createKeyFile, createKeyFolder, keyFiles, replaceKeyFile } from './key-files.ts';
import {
	entryOf,
	type KeysMade,
	newKey,
	publicFile,
	readManifest,
	readPrivate,
	readRootPublic,
	refuseExisting,
	secondsOf,
	secretFile,
} from './key-folder.ts';

/** Numbers that another issuer signs. */
export interface LeaseKey {
	/** Folder with the root's private key and the manifest. */
	readonly dir: string;
	readonly evt: string;
	/** First and last number, as the server leased them. */
	readonly from: number;
	readonly to: number;
	/** The other issuer's public key. */
	readonly key: JWK;
	/** NumericDate after which its tickets are refused; absent means never. */
	readonly exp?: number;
	readonly nowMs: number;
}

/**
 * Makes the key of an issuer that works elsewhere, e.g. a ticket window, in a folder of its own, and gives its kid. It may
 * sign once the root's manifest names it (`leaseRange`) and lies beside it. Throws `keys_exist` and `output_failed`.
 */
export async function makeIssuerKey(dir: string): Promise<string> {
	await createKeyFolder(dir);
	return withFolderLock(dir, async () => {
		await refuseExisting(dir);
		const { kid, privateKey } = await newKey();
		await createKeyFile(dir, secretFile(keyFiles.issuerPrivate(kid), privateKey));
		await createKeyFile(dir, publicFile(keyFiles.issuerPublic(kid), JSON.stringify(onlyPublic(privateKey))));
		await createKeyFile(dir, publicFile(keyFiles.issued, '{}'));
		return kid;
	});
}

/**
 * Lets another key sign a range of one event. A key has one range: the newest key of this folder keeps what lies below,
 * and a new one of this folder goes on above. Gates follow when they get the new manifest.
 * Throws `keys_missing` without the root's private key, `keys_invalid` for a key that is none, `manifest_invalid` for a
 * range that is not free.
 */
export async function leaseRange(lease: LeaseKey): Promise<KeysMade> {
	const { dir } = lease;
	return withFolderLock(dir, async () => {
		const before = await readManifest(dir);
		const root = await readPrivate(dir, keyFiles.rootPrivate, await kidOf(await readRootPublic(dir)));
		const issuer = await newKey();
		const manifest = await leased(before, lease, issuer);
		const jws = await signManifest(manifest, root);
		// The key before the manifest: a crash between them leaves a key that nobody trusts, and no trust without a key.
		await createKeyFile(dir, secretFile(keyFiles.issuerPrivate(issuer.kid), issuer.privateKey));
		await replaceKeyFile(dir, publicFile(keyFiles.manifest, jws));
		return { manifest, kid: issuer.kid };
	});
}

async function leased(
	manifest: KeyManifest,
	{ dir, evt, from, to, key, exp, nowMs }: LeaseKey,
	issuer: Awaited<ReturnType<typeof newKey>>,
): Promise<KeyManifest> {
	const current = manifest.keys.reduce((a, b) => (b.to > a.to ? b : a));
	const issued = await highestIssued(dir);
	const problem =
		(issued >= from && `number ${issued} is issued already: lease a range that lies above it`) ||
		(current.evt !== undefined && current.evt !== evt && `the newest key here signs for ${current.evt} alone`) ||
		((from <= current.from || to >= current.to) && `the newest key here signs ${current.from} to ${current.to}`);
	if (problem) throw new StilewardError('manifest_invalid', `key manifest: ${problem}`);
	const other = { kid: await kidOf(key), jwk: onlyPublic(key), alg: key.kty === 'EC' ? 'ES256' : 'Ed25519' } as const;
	const scope = current.evt === undefined ? {} : { evt: current.evt };
	return {
		version: manifest.version + 1,
		issuedAt: secondsOf(nowMs),
		keys: [
			...manifest.keys.map((each) => (each === current ? { ...each, to: from - 1 } : each)),
			{ ...other, evt, from, to, ...(exp !== undefined && { exp }) },
			{ ...entryOf(issuer), ...scope, from: to + 1, to: current.to },
		],
		revoked: manifest.revoked,
	};
}
