import { onlyPublic, type PublicJwk } from '../../../gate-agent/core/jwk.ts';
import type { SealedKey } from '../../../sync/protocol/signed-text.ts';
import type { KeyStore } from './key-store.ts';

/** What a handheld is to its venue. */
export interface Identity {
	/** RFC 7638 thumbprint of the device key. */
	readonly device: string;
	readonly venue: string;
	/** The server of the enrollment: the audience of every assertion. */
	readonly server: string;
	/** Who signs key manifests. */
	readonly rootKey: PublicJwk;
	/** Who signs the server's time. */
	readonly timeKeys: readonly PublicJwk[];
	/** What people call the device. */
	readonly name: string;
	/** The same as a lane is called. */
	readonly lane: string;
	readonly key: SealedKey;
}

/** Makes a device key that signs and can be read by nobody, the page included: P-256, as every browser keeps it. */
export async function makeDeviceKey(subtle: SubtleCrypto): Promise<{ key: SealedKey; publicKey: PublicJwk }> {
	const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
	const publicKey = onlyPublic((await subtle.exportKey('jwk', pair.publicKey)) as Parameters<typeof onlyPublic>[0]);
	return { key: { alg: 'ES256', sealed: pair.privateKey }, publicKey };
}

/** Who this handheld is; undefined before it was enrolled. */
export async function loadIdentity(keys: KeyStore): Promise<Identity | undefined> {
	// Written by `saveIdentity` alone, as one value.
	return (await keys.get('identity')) as Identity | undefined;
}

/** Keeps who this handheld is. */
export function saveIdentity(keys: KeyStore, identity: Identity): Promise<void> {
	return keys.put('identity', identity);
}

/** A name as a lane may be called: `Handheld 3` is `handheld-3`. */
export function laneNameOf(name: string): string {
	const plain = name
		.normalize('NFKD')
		.toLowerCase()
		.replaceAll(/[^a-z0-9_]+/g, '-')
		.replaceAll(/^-+|-+$/g, '')
		.slice(0, 32);
	return plain === '' ? 'handheld' : plain;
}
