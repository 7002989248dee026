import type { CryptoKey } from 'jose';
import { StilewardError } from './errors.ts';
import { importPublicKey } from './jwk.ts';
import { checkManifest, type KeyManifest, type ManifestKey, manifestText } from './key-manifest.ts';
import type { SignatureAlg } from './strict-jws.ts';
import type { Ticket } from './ticket.ts';

/** A key of the keyset, imported once. */
export interface KeysetKey {
	readonly entry: ManifestKey;
	readonly verifyKey: CryptoKey;
}

/** The issuer keys that a gate trusts, by kid. Revoked keys are not among them. */
export interface Keyset {
	readonly version: number;
	readonly manifest: KeyManifest;
	readonly keys: ReadonlyMap<string, KeysetKey>;
}

/** Imports the keys of an opened manifest. Throws `manifest_invalid` or `keys_invalid`. */
export async function createKeyset(manifest: KeyManifest): Promise<Keyset> {
	await checkManifest(manifest);
	const valid = manifest.keys.filter(({ kid }) => !manifest.revoked.includes(kid));
	const imported = valid.map(async (entry) => {
		const key: KeysetKey = { entry, verifyKey: await importPublicKey(entry.jwk) };
		return [entry.kid, key] as const;
	});
	return { version: manifest.version, manifest, keys: new Map(await Promise.all(imported)) };
}

/**
 * Moves to a newer manifest; the one in use is kept where it is the same. Throws `manifest_rollback` for a lower
 * version, and for another content under the same version.
 */
export async function advanceKeyset(current: Keyset | undefined, manifest: KeyManifest): Promise<Keyset> {
	if (!current || manifest.version > current.version) return createKeyset(manifest);
	if (manifest.version < current.version) {
		const versions = `version ${manifest.version} is older than ${current.version}, which is in use`;
		throw new StilewardError('manifest_rollback', `key manifest: ${versions}`);
	}
	if (manifestText(manifest) === manifestText(current.manifest)) return current;
	throw new StilewardError('manifest_rollback', `key manifest: version ${manifest.version} has another content`);
}

/** Whether a key may have signed with this algorithm. */
export function permits({ alg: permitted }: ManifestKey, alg: SignatureAlg): boolean {
	return (permitted === 'ES256') === (alg === 'ES256');
}

/**
 * Whether a key may sign this ticket: its event, its range, and a validity that lies within the key's own. A key
 * with an end therefore cannot vouch for a ticket without one, also where a session would supply it.
 */
export function covers({ evt, from, to, nbf, exp }: ManifestKey, ticket: Ticket): boolean {
	if (evt !== undefined && evt !== ticket.evt) return false;
	if (ticket.idx < from || ticket.idx > to) return false;
	if (nbf !== undefined && (ticket.nbf === undefined || ticket.nbf < nbf)) return false;
	return exp === undefined || (ticket.exp !== undefined && ticket.exp <= exp);
}
