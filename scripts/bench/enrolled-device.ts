import { randomBytes } from 'node:crypto';
import type { JWK } from 'jose';
import { onlyPublic } from '../../gate-agent/core/jwk.ts';
import { signDeviceAssertion } from '../../sync/protocol/device-assertion.ts';
import type { ResponseOf } from '../../sync/protocol/paths.ts';
import { jwtBearerGrant } from '../../sync/protocol/token.ts';
import { ask, type ServerProcess } from './server-process.ts';

/** Enrolls a key with a one-time code, as a gate does. */
export async function enroll(
	server: Pick<ServerProcess, 'office' | 'client'>,
	key: JWK,
	name: string,
): Promise<ResponseOf<'enroll'>> {
	const { code } = await server.office('POST', '/codes', { name });
	const body = { code, key: onlyPublic(key), name, version: '0.0.0-bench' };
	// The answer of this very call.
	return (await ask(server.client, { method: 'POST', path: '/v1/enroll', body })) as ResponseOf<'enroll'>;
}

/** What a device needs to know of its enrollment to prove itself. */
type Identity = Pick<ResponseOf<'enroll'>, 'device' | 'venue' | 'server'>;

/** Signs an assertion for a server's challenge. */
export function newAssertion(
	{ device, venue, server }: Identity,
	challenge: { readonly nonce: string; readonly nowMs: number },
	key: JWK,
): Promise<string> {
	const jti = randomBytes(16).toString('base64url');
	return signDeviceAssertion({ device, venue, server, jti, ...challenge }, key);
}

/** Fetches an access token for an enrolled key. */
export async function fetchToken({ client }: ServerProcess, identity: Identity, key: JWK): Promise<string> {
	const { nonce, nowMs } = await ask(client, { method: 'GET', path: '/v1/nonce' });
	const assertion = await newAssertion(identity, { nonce: String(nonce), nowMs: Number(nowMs) }, key);
	const body = { grant_type: jwtBearerGrant, assertion };
	return String((await ask(client, { method: 'POST', path: '/v1/token', body })).access_token);
}
