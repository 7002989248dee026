import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { type ClockReset, openClockReset, signClockReset } from '../core/clock-reset.ts';
import { StilewardError } from '../core/errors.ts';
import type { IssuerKey } from '../core/issue.ts';
import { kidOf, onlyPublic, type PublicJwk } from '../core/jwk.ts';
import { type KeyManifest, type ManifestKey, openManifest, signManifest } from '../core/key-manifest.ts';
import { createKeyset, type Keyset } from '../core/keyset.ts';
import { ticketIdxMax } from '../core/ticket.ts';
import { withFolderLock } from './folder-lock.ts';
import { highestIssued } from './issued-numbers.ts';
import {
	createKeyFile,
	createKeyFolder,
	issuerKidOf,
	type KeyFile,
	keyFiles,
	publicMode,
	readKeyFile,
	readKeyJson,
	replaceKeyFile,
	secretMode,
} from './key-files.ts';

/** What a gate trusts, and what a technician should know about the folder it came from. */
export interface Trust {
	readonly keyset: Keyset;
	readonly manifest: KeyManifest;
	/** The kid of the root key that signed it. */
	readonly root: string;
	readonly warnings: readonly string[];
}

/** What makes a new key folder. */
export interface InitKeys {
	readonly dir: string;
	/** The one event that the issuer key signs for; absent means any. */
	readonly evt?: string;
	readonly nowMs: number;
}

/** What makes the next issuer key. */
export interface RotateKeys {
	readonly dir: string;
	readonly nowMs: number;
	/** Kids whose tickets are refused from now on. */
	readonly revoke?: readonly string[];
}

/** The manifest as signed, and the kid that signs new tickets. */
export interface KeysMade {
	readonly manifest: KeyManifest;
	readonly kid: string;
}

/** The issuer keys of a folder. */
export interface Issuer {
	readonly manifest: KeyManifest;
	/** The key that may sign this ticket. Throws `keys_missing` where none here may. */
	keyFor(evt: string, idx: number): IssuerKey;
	readonly warnings: readonly string[];
}

/** Reads what a gate needs: the manifest and the root's public key. Throws `keys_missing`, `keys_invalid` or `manifest_invalid`. */
export async function loadTrust(dir: string): Promise<Trust> {
	const manifest = await readManifest(dir);
	const keyset = await createKeyset(manifest);
	const root = await kidOf(await readRootPublic(dir));
	return { keyset, manifest, root, warnings: (await privateFiles(dir)).map(warnOfPrivate) };
}

/** Reads the issuer keys of a folder. Throws `keys_missing`, `keys_invalid` or `manifest_invalid`. */
export async function loadIssuer(dir: string): Promise<Issuer> {
	const manifest = await readManifest(dir);
	const kids = (await privateFiles(dir)).map(issuerKidOf).filter((kid) => kid !== undefined);
	const keys = new Map<string, IssuerKey>();
	for (const kid of kids) keys.set(kid, { kid, privateKey: await readPrivate(dir, keyFiles.issuerPrivate(kid), kid) });
	return { manifest, warnings: await openToOthers(dir), keyFor: (evt, idx) => keyFor(manifest, keys, { evt, idx }) };
}

/** Reads the clock reset that lies beside the manifest, where there is one. Throws `clock_reset_invalid`. */
export async function loadClockReset(dir: string): Promise<ClockReset | undefined> {
	return (await readdir(dir)).includes(keyFiles.clockReset)
		? findClockReset(dir, await readRootPublic(dir))
		: undefined;
}

/** The same for a folder whose root key is known from elsewhere. */
export async function findClockReset(dir: string, root: JWK | PublicJwk): Promise<ClockReset | undefined> {
	if (!(await readdir(dir)).includes(keyFiles.clockReset)) return undefined;
	return openClockReset(await readKeyFile(dir, keyFiles.clockReset), root);
}

/**
 * Signs the next clock reset: gates that get it begin a new clock epoch at `nowMs` and forget every later time that a
 * wrong clock had made them believe. Throws `keys_missing` without the root's private key, `clock_reset_invalid` where
 * the reset before is not of this root.
 */
export async function resetClock({
	dir,
	nowMs,
}: {
	readonly dir: string;
	readonly nowMs: number;
}): Promise<ClockReset> {
	return withFolderLock(dir, async () => {
		const root = await readPrivate(dir, keyFiles.rootPrivate, await kidOf(await readRootPublic(dir)));
		const before = await loadClockReset(dir);
		const reset = { epoch: (before?.epoch ?? 1) + 1, floorMs: Math.trunc(nowMs) };
		await replaceKeyFile(dir, publicFile(keyFiles.clockReset, await signClockReset(reset, root)));
		return reset;
	});
}

/**
 * Makes a root key, the first issuer key and the manifest. The manifest comes last, so that a folder with one is
 * complete. Throws `keys_exist` where the folder holds any of these already, `manifest_invalid` for a wrong `evt`.
 */
export async function initKeys({ dir, evt, nowMs }: InitKeys): Promise<KeysMade> {
	await createKeyFolder(dir);
	return withFolderLock(dir, async () => {
		await refuseExisting(dir);
		const root = await newKey();
		const issuer = await newKey();
		const entry = { ...entryOf(issuer), ...(evt !== undefined && { evt }), from: 0, to: ticketIdxMax };
		const manifest = { version: 1, issuedAt: secondsOf(nowMs), keys: [entry], revoked: [] };
		const jws = await signManifest(manifest, root.privateKey);
		await createKeyFile(dir, secretFile(keyFiles.rootPrivate, root.privateKey));
		await createKeyFile(dir, publicFile(keyFiles.rootPublic, JSON.stringify(onlyPublic(root.privateKey))));
		await createKeyFile(dir, secretFile(keyFiles.issuerPrivate(issuer.kid), issuer.privateKey));
		await createKeyFile(dir, publicFile(keyFiles.issued, '{}'));
		await createKeyFile(dir, publicFile(keyFiles.manifest, jws));
		return { manifest, kid: issuer.kid };
	});
}

/**
 * Makes the next issuer key. It takes the numbers above the highest one issued of any event; the key before it keeps
 * those below and its tickets stay valid, unless it is revoked. Gates follow when they get the new manifest.
 * Throws `keys_missing` without the root's private key, `manifest_invalid` for a kid to revoke that is unknown,
 * `ticket_invalid` where no numbers are left.
 */
export async function rotateKeys({ dir, nowMs, revoke = [] }: RotateKeys): Promise<KeysMade> {
	return withFolderLock(dir, async () => {
		const manifest = await readManifest(dir);
		const root = await readPrivate(dir, keyFiles.rootPrivate, await kidOf(await readRootPublic(dir)));
		const issuer = await newKey();
		const next = await rotated(manifest, { dir, issuer, revoke, nowMs });
		const jws = await signManifest(next, root);
		// The key before the manifest: a crash between them leaves a key that nobody trusts, and no trust without a key.
		await createKeyFile(dir, secretFile(keyFiles.issuerPrivate(issuer.kid), issuer.privateKey));
		await replaceKeyFile(dir, publicFile(keyFiles.manifest, jws));
		return { manifest: next, kid: issuer.kid };
	});
}

async function rotated(
	manifest: KeyManifest,
	{ dir, issuer, revoke, nowMs }: { dir: string; issuer: IssuerKey; revoke: readonly string[]; nowMs: number },
): Promise<KeyManifest> {
	const unknown = revoke.find((kid) => !manifest.keys.some((key) => key.kid === kid));
	if (unknown !== undefined) throw new StilewardError('manifest_invalid', `key manifest: it has no key ${unknown}`);
	const current = manifest.keys.reduce((a, b) => (b.to > a.to ? b : a));
	// At least one number stays with the old key: a range cannot be empty.
	const from = Math.max(await highestIssued(dir), current.from) + 1;
	if (from > current.to)
		throw new StilewardError('ticket_invalid', `claim \`idx\`: no number above ${current.to} is left`);
	const { evt } = current;
	const entry = { ...entryOf(issuer), ...(evt !== undefined && { evt }), from, to: current.to };
	const kept = manifest.keys.map((key) => (key === current ? { ...key, to: from - 1 } : key));
	return {
		version: manifest.version + 1,
		issuedAt: secondsOf(nowMs),
		keys: [...kept, entry],
		revoked: [...new Set([...manifest.revoked, ...revoke])],
	};
}

/** Reads the manifest of a folder. Throws `keys_missing` or `manifest_invalid`. */
export async function readManifest(dir: string): Promise<KeyManifest> {
	return openManifest(await readKeyFile(dir, keyFiles.manifest), await readRootPublic(dir));
}

/** Reads the root's public key. Throws `keys_missing` or `keys_invalid`. */
export async function readRootPublic(dir: string): Promise<JWK> {
	// What the file holds is checked when the key is imported.
	return (await readKeyJson(dir, keyFiles.rootPublic)) as JWK;
}

/** Reads a private key that must be the one of this kid. Throws `keys_missing` or `keys_invalid`. */
export async function readPrivate(dir: string, file: string, kid: string): Promise<JWK> {
	// `kidOf` checks the public members here, the import checks the private one at the first signature.
	const jwk = (await readKeyJson(dir, file)) as JWK;
	if (typeof jwk.d !== 'string' || (await kidOf(jwk)) !== kid) {
		throw new StilewardError('keys_invalid', `${join(dir, file)} does not hold the private key ${kid}`);
	}
	return jwk;
}

function keyFor(
	manifest: KeyManifest,
	keys: ReadonlyMap<string, IssuerKey>,
	{ evt, idx }: { evt: string; idx: number },
): IssuerKey {
	const maySign = (key: ManifestKey) =>
		!manifest.revoked.includes(key.kid) && (key.evt ?? evt) === evt && key.from <= idx && idx <= key.to;
	const entry = manifest.keys.find(maySign);
	const key = entry && keys.get(entry.kid);
	if (key) return key;
	const why = entry ? `the private key ${entry.kid} is not in this folder` : 'the manifest names no key for it';
	throw new StilewardError('keys_missing', `${evt}/${idx} cannot be signed: ${why}`);
}

/** Makes an issuer key. */
export async function newKey(): Promise<IssuerKey> {
	const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
	const { kty, crv, x, d }: JWK = await exportJWK(privateKey);
	// An exported Ed25519 key has all four.
	const jwk = { kty, crv, x, d } as JWK;
	return { kid: await kidOf(jwk), privateKey: jwk };
}

/** A key's entry in a manifest, but for what it may sign. */
export function entryOf({ kid, privateKey }: IssuerKey): Pick<ManifestKey, 'kid' | 'jwk' | 'alg'> {
	return { kid, jwk: onlyPublic(privateKey), alg: 'Ed25519' };
}

/** Throws `keys_exist` where a folder holds keys already. */
export async function refuseExisting(dir: string): Promise<void> {
	const ours: readonly string[] = [keyFiles.manifest, keyFiles.rootPublic, keyFiles.issued];
	const existing = (await readdir(dir)).find((file) => ours.includes(file) || isPrivate(file));
	if (existing !== undefined) throw new StilewardError('keys_exist', `${join(dir, existing)} exists already`);
}

async function privateFiles(dir: string): Promise<readonly string[]> {
	return (await readdir(dir)).filter(isPrivate).sort();
}

function isPrivate(file: string): boolean {
	return file === keyFiles.rootPrivate || issuerKidOf(file) !== undefined;
}

function warnOfPrivate(file: string): string {
	return `${file} lies beside the manifest: a gate needs no private key; move it to where tickets are issued`;
}

/** Private files that other users of the machine can read. Windows has no such modes. */
async function openToOthers(dir: string): Promise<readonly string[]> {
	if (process.platform === 'win32') return [];
	const warnings: string[] = [];
	for (const file of await privateFiles(dir)) {
		const { mode } = await stat(join(dir, file));
		if (mode & 0o077) warnings.push(`${file} can be read by other users: run chmod 600 on it`);
	}
	return warnings;
}

/** A file that holds a private key. */
export function secretFile(file: string, jwk: JWK): KeyFile {
	return { file, text: `${JSON.stringify(jwk)}\n`, mode: secretMode };
}

/** A file that anybody may read. */
export function publicFile(file: string, text: string): KeyFile {
	return { file, text: `${text}\n`, mode: publicMode };
}

/** A NumericDate. */
export function secondsOf(ms: number): number {
	return Math.floor(ms / 1000);
}
