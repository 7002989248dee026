import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { onlyPublic, type PublicJwk } from '../../gate-agent/core/jwk.ts';
import { readIfThere, secretMode, writeDurably } from './durable-file.ts';

/** The file of these keys in a server's data folder. */
export const serverKeysFile = 'server-keys.private.json';

/** What a server signs for its devices with. Neither key can make a ticket. */
export interface ServerKeys {
	/** Authenticates access tokens (HMAC), which only this server reads. */
	readonly tokenSecret: Uint8Array;
	/** Signs the time. */
	readonly timeKey: JWK;
	readonly timePublicKey: PublicJwk;
}

/** Reads a server's keys, or makes them at its first start. Throws `server_data_invalid` and `output_failed`. */
export async function openServerKeys(dir: string): Promise<ServerKeys> {
	const path = join(dir, serverKeysFile);
	const kept = await readIfThere(path);
	if (kept !== undefined) return readKeys(path, kept);
	const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
	const text = JSON.stringify({
		tokenSecret: randomBytes(32).toString('base64url'),
		timeKey: await exportJWK(privateKey),
	});
	await writeDurably(path, `${text}\n`, secretMode);
	return readKeys(path, text);
}

function readKeys(path: string, text: string): ServerKeys {
	try {
		const { tokenSecret, timeKey } = JSON.parse(text) as { tokenSecret: string; timeKey: JWK };
		const secret = Buffer.from(tokenSecret, 'base64url');
		if (secret.length === 32) return { tokenSecret: secret, timeKey, timePublicKey: onlyPublic(timeKey) };
	} catch {
		// The cause may quote a key.
	}
	throw new StilewardError('server_data_invalid', `${path} does not hold the keys of a server`);
}
