import { createPrivateKey } from 'node:crypto';
import type { JWK } from 'jose';
import { kidOf, onlyPublic } from '../../../gate-agent/core/jwk.ts';
import { signManifest } from '../../../gate-agent/core/key-manifest.ts';
import { ticketIdxMax } from '../../../gate-agent/core/ticket.ts';
import type { Issuer } from '../../../sync/server/issuing.ts';
import type { Chance } from '../runtime/chance.ts';

/** PKCS8 of an Ed25519 key up to its 32 bytes (RFC 8410). */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Makes a private Ed25519 key that is the same for the same chance. */
export function makeKey(chance: Chance): JWK {
	const secret = Buffer.alloc(32);
	chance.fill(secret);
	const key = createPrivateKey({ key: Buffer.concat([pkcs8, secret]), format: 'der', type: 'pkcs8' });
	return key.export({ format: 'jwk' });
}

/** Makes a venue's root, its issuer key, and the manifest that joins them. */
export async function makeIssuer(chance: Chance, issuedAt: number): Promise<Issuer> {
	const [root, privateKey] = [makeKey(chance.of('root')), makeKey(chance.of('issuer'))];
	const kid = await kidOf(privateKey);
	const entry = { kid, jwk: onlyPublic(privateKey), alg: 'Ed25519', from: 0, to: ticketIdxMax } as const;
	const manifest = await signManifest({ version: 1, issuedAt, keys: [entry], revoked: [] }, root);
	return { manifest, rootKey: onlyPublic(root), keyFor: () => ({ kid, privateKey }) };
}
