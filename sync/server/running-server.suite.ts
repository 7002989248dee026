import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { pino } from 'pino';
import { kidOf, onlyPublic } from '../../gate-agent/core/jwk.ts';
import { signManifest } from '../../gate-agent/core/key-manifest.ts';
import { createHttpsClient, type HttpsClient, type HttpsRequest } from '../node/https-client.ts';
import { signDeviceAssertion } from '../protocol/device-assertion.ts';
import { deviceIdOf } from '../protocol/enroll.ts';
import { jwtBearerGrant } from '../protocol/token.ts';
import type { Issuer } from './issuing.ts';
import { createOperators } from './office/operators.ts';
import { openOffice, type RunningServer, type ServerOptions, startServer } from './start.ts';

/** The operator of every server under test. */
export const operator = { name: 'mina', password: 'correct horse battery staple' } as const;

/** A server in this process, with real TLS on loopback and a real store. */
export interface ServerUnderTest {
	readonly server: RunningServer;
	readonly client: HttpsClient;
	readonly issuer: Issuer;
	readonly dir: string;
	/** Lines of its log. */
	readonly log: readonly string[];
	/** Asks as JSON and reads JSON. */
	ask(request: HttpsRequest, token?: string): Promise<{ readonly status: number; readonly body: unknown }>;
	/** Signs the operator in. */
	login(): Promise<string>;
	/** Enrolls a device, called `gate-1` and so on, and fetches its token. */
	device(session: string): Promise<DeviceUnderTest>;
	close(): Promise<void>;
}

/** An enrolled device. */
export interface DeviceUnderTest {
	readonly id: string;
	readonly key: JWK;
	readonly token: string;
}

/** Makes a private Ed25519 key. */
export async function newKey(): Promise<JWK> {
	return exportJWK((await generateKeyPair('Ed25519', { extractable: true })).privateKey);
}

/** Makes a root, an issuer key for all events, and their manifest. */
export async function newIssuer(): Promise<Issuer> {
	const [root, privateKey] = [await newKey(), await newKey()];
	const kid = await kidOf(privateKey);
	const entry = { kid, jwk: onlyPublic(privateKey), alg: 'Ed25519', from: 0, to: 2 ** 31 - 1 } as const;
	const manifest = await signManifest({ version: 1, issuedAt: 1_790_000_000, keys: [entry], revoked: [] }, root);
	return { manifest, rootKey: onlyPublic(root), keyFor: () => ({ kid, privateKey }) };
}

/** Starts a server in a new folder, which is removed at its end. */
export async function startServerUnderTest(over: Partial<ServerOptions> = {}): Promise<ServerUnderTest> {
	const dir = over.dir ?? (await mkdtemp(join(tmpdir(), 'stileward-server-')));
	const venue = over.venue ?? 'harbor';
	const issuer = over.issuer ?? (await newIssuer());
	const lines: string[] = [];
	const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
	const nowMs = over.nowMs ?? Date.now;
	const office = await openOffice({ dir });
	await createOperators({ office, nowMs }).put({ venue, role: 'administrator', ...operator });
	await office.close();
	const options = { dir, venue, issuer, log, nowMs, host: '127.0.0.1', port: 0, names: [], ...over };
	const server = await startServer(options);
	const { url, fingerprint } = server;
	const client = createHttpsClient({ url, fingerprint, trustedNowMs: nowMs, connectMs: 30_000 });
	const ask: ServerUnderTest['ask'] = async (request, token) => {
		const headers = { ...request.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
		const { status, body } = await client.send({ ...request, headers });
		const text = body.toString();
		return { status, body: text.startsWith('{') && !text.trimEnd().includes('\n') ? JSON.parse(text) : text };
	};
	let devices = 0;
	return {
		server,
		client,
		issuer,
		dir,
		log: lines,
		ask,
		login: async () => {
			const { body } = await ask({ method: 'POST', path: '/v1/office/login', body: operator });
			return (body as { token: string }).token;
		},
		device: (session) => {
			devices += 1;
			return enrollDevice(ask, session, `gate-${devices}`);
		},
		close: async () => {
			client.close();
			await server.close();
			await rm(dir, { recursive: true, force: true });
		},
	};
}

async function enrollDevice(ask: ServerUnderTest['ask'], session: string, name: string): Promise<DeviceUnderTest> {
	const made = await ask({ method: 'POST', path: '/v1/office/codes', body: { name } }, session);
	const { code } = made.body as { code: string };
	const key = await newKey();
	const body = { code, key: onlyPublic(key), name, version: '0.1.0' };
	const enrolled = await ask({ method: 'POST', path: '/v1/enroll', body });
	if (enrolled.status !== 200) throw new Error(JSON.stringify(enrolled.body));
	const id = await deviceIdOf(onlyPublic(key));
	const { body: token } = await askToken(ask, { id, key });
	return { id, key, token: (token as { access_token: string }).access_token };
}

/** Asks for an access token; `over` spoils the assertion. */
export async function askToken(
	ask: ServerUnderTest['ask'],
	{ id, key }: Pick<DeviceUnderTest, 'id' | 'key'>,
	over: Partial<Parameters<typeof signDeviceAssertion>[0]> = {},
) {
	const { body } = await ask({ method: 'GET', path: '/v1/nonce' });
	const { nonce, server, nowMs } = body as { nonce: string; server: string; nowMs: number };
	const jti = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
	const request = { device: id, venue: 'harbor', server, nonce, jti, nowMs, ...over };
	const assertion = await signDeviceAssertion(request, key);
	return { assertion, ...(await sendAssertion(ask, assertion)) };
}

/** Sends an assertion as it is. */
export function sendAssertion(ask: ServerUnderTest['ask'], assertion: string) {
	return ask({ method: 'POST', path: '/v1/token', body: { grant_type: jwtBearerGrant, assertion } });
}
