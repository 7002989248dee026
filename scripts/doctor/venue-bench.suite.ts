import { createPublicKey } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { enrollmentFiles } from '../../gate-agent/enrollment.ts';
import { type ServerUnderTest, startServerUnderTest } from '../../sync/server/running-server.suite.ts';
import {
	certifyAuthority,
	certifyServer,
	fingerprintOf,
	makePrivateKey,
	publicKeyOf,
} from '../../sync/server/tls/certificates.ts';
import { runCli } from '../commands/cli.suite.ts';
import { type GateBench, setUpGate } from './gate-bench.suite.ts';

/** A gate on the bench that is a part of a venue with a real server. */
export interface VenueBench extends GateBench {
	readonly venue: ServerUnderTest;
	readonly session: string;
	/** Exchanges what the gate knows of its server, as after a move or a forgery. */
	point(to: { readonly url?: string; readonly fingerprint?: string; readonly device?: string }): Promise<void>;
	readonly device: () => Promise<string>;
}

/** Starts a server with an event and enrolls a gate at it. */
export async function setUpVenue(server: Parameters<typeof startServerUnderTest>[0] = {}): Promise<VenueBench> {
	const [bench, venue] = [await setUpGate(), await startServerUnderTest(server)];
	onTestFinished(() => venue.close());
	await bench.configure({ gate: { event: undefined, keys: undefined } });
	const session = await venue.login();
	const rules = { classes: {}, unknownClass: 'admit', sessions: {}, timeZone: 'Asia/Shanghai', dayStartsAtMinutes: 0 };
	const body = { policy: { evt: 'lantern-2026', ...rules } };
	await venue.ask({ method: 'PUT', path: '/v1/office/events/lantern-2026', body }, session);
	const code = await newCode(venue, session, 'box-1');
	const { url, fingerprint } = venue.server;
	const args = ['--server', url, '--fingerprint', fingerprint, '--code', code, '--data', bench.data];
	const enrolled = await runCli(['gate', 'enroll', ...args]);
	if (enrolled.code !== 0) throw new Error(enrolled.err);
	const file = join(bench.data, enrollmentFiles.enrollment);
	const read = async () => JSON.parse(await readFile(file, 'utf8'));
	return {
		...{ ...bench, venue, session },
		point: async (to) => writeFile(file, JSON.stringify({ ...(await read()), ...to })),
		device: async () => (await read()).device,
	};
}

/** A one-time code for a gate of this name. */
export async function newCode(venue: ServerUnderTest, session: string, name: string): Promise<string> {
	const made = await venue.ask({ method: 'POST', path: '/v1/office/codes', body: { name } }, session);
	return (made.body as { code: string }).code;
}

/** How a server that is none of ours shows itself. */
export interface Stranger {
	readonly nowMs?: number;
	readonly hosts?: readonly string[];
	/** What it answers to everything. */
	readonly answer?: { readonly status: number; readonly type: string; readonly body: string };
}

const jsonAnswer = { status: 404, type: 'application/json', body: '{"error":"not here"}' };

/** Starts a server with a certificate of its own authority, made at this time for these hosts. */
export async function startStranger({ nowMs = Date.now(), hosts = ['127.0.0.1'], answer = jsonAnswer }: Stranger = {}) {
	const [authorityKey, key] = [await makePrivateKey(), await makePrivateKey()];
	const authority = { key: authorityKey, certificate: await certifyAuthority(authorityKey, nowMs) };
	const certificate = await certifyServer(authority, { publicKey: publicKeyOf(key), hosts, nowMs });
	const server: Server = createServer({ key, cert: certificate + authority.certificate }, (_, reply) => {
		reply.writeHead(answer.status, { 'content-type': answer.type, location: 'http://login.example/' }).end(answer.body);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => void server.close());
	const { port } = server.address() as { port: number };
	return { url: `https://127.0.0.1:${port}`, fingerprint: fingerprintOf(createPublicKey(publicKeyOf(authorityKey))) };
}
