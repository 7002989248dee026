import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Logger, pino } from 'pino';
import { onlyPublic } from '../../../gate-agent/core/jwk.ts';
import { createHttpsClient, type HttpsClient } from '../../node/https-client.ts';
import { deviceIdOf } from '../../protocol/enroll.ts';
import { restoreBackup } from '../backup/restore-backup.ts';
import { createOperators } from '../office/operators.ts';
import { newIssuer, newKey, operator } from '../running-server.suite.ts';
import { openOffice, type RunningServer, startServer } from '../start.ts';
import { evt, newRedemption } from '../testing/device-journal.ts';
import { enrollHub } from './enrollment.ts';
import { type RunningHub, startHub } from './start-hub.ts';
import { type Answer, type Restartable, type Send, TestDevice } from './test-device.suite.ts';

/** The rules of the event of every test. */
const policy = {
	evt,
	timeZone: 'Asia/Shanghai',
	dayStartsAtMinutes: 0,
	classes: {},
	unknownClass: 'admit',
	sessions: {},
};

/** A venue with a centre and hubs as servers in this process, over real TLS on loopback, and time that tests move. */
export interface HubWorld {
	readonly clock: { nowMs: number };
	readonly centre: Restartable<RunningServer>;
	readonly log: string[];
	/** Asks the centre's office. */
	office(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<Answer>;
	addHub(name: string, from?: string): Promise<Restartable<RunningHub>>;
	/** Enrolls a device at a server. */
	addDevice(at: Restartable<RunningServer>, name?: string): Promise<TestDevice>;
	setAuthority(server: string, abandon?: boolean): Promise<number>;
	/** Asks any server, without a token. */
	readonly ask: Send;
	/** Puts a backup of the centre back, in the place of what it has. */
	putBack(from: string): Promise<void>;
	close(): Promise<void>;
}

/** Starts a venue. `store` says where the centre keeps its data. */
export async function startHubWorld(options: { readonly store?: string } = {}): Promise<HubWorld> {
	const root = await mkdtemp(join(tmpdir(), 'stileward-hub-'));
	const clock = { nowMs: Date.now() };
	const nowMs = () => clock.nowMs;
	const log: string[] = [];
	const logger = pino({ level: 'info' }, { write: (line: string) => void log.push(line) });
	const closing: (() => Promise<unknown> | unknown)[] = [];
	const centre = await startCentre({ root, nowMs, logger, ...(options.store && { store: options.store }) });
	closing.push(() => centre.stop());
	const { send, close: closeClients } = openClients(nowMs);
	const login = async () =>
		(await send(centre, { method: 'POST', path: '/v1/office/login', body: operator })).body.token;
	let session = await login();
	const office: HubWorld['office'] = (method, path, body) =>
		send(centre, {
			method,
			path: `/v1/office${path}`,
			headers: { authorization: `Bearer ${session}` },
			...(body !== undefined && { body }),
		});
	await office('PUT', `/events/${evt}`, { policy });
	let names = 0;
	return {
		clock,
		centre,
		log,
		office,
		addHub: async (name, from) => {
			const hub = await newHub({ root, nowMs, logger, office, centre, name, ...(from !== undefined && { from }) });
			closing.unshift(() => hub.stop());
			return hub;
		},
		addDevice: (at, name = `gate-${++names}`) => enrollDevice({ send, office, nowMs }, at, name),
		setAuthority: async (server, abandon = false) => {
			const set = await office('POST', '/authority', { server, abandon });
			if (set.status !== 200) throw new Error(JSON.stringify(set.body));
			return set.body.epoch;
		},
		ask: send,
		putBack: async (from) => {
			await centre.stop();
			await rm(centre.dir, { recursive: true });
			await restoreBackup({ dir: centre.dir, from });
			await centre.start();
			session = await login();
		},
		close: async () => {
			for (const end of closing) await end();
			closeClients();
			await rm(root, { recursive: true, force: true });
		},
	};
}

/** One client for each server, as long as the world lives. */
function openClients(nowMs: () => number): { readonly send: Send; readonly close: () => void } {
	const clients = new Map<string, HttpsClient>();
	const clientOf = (server: RunningServer) => {
		const known = clients.get(server.url);
		const { url, fingerprint } = server;
		const client = known ?? createHttpsClient({ url, fingerprint, trustedNowMs: nowMs, socketsMax: 64 });
		clients.set(url, client);
		return client;
	};
	return {
		send: async (at, request) => {
			const answer = await clientOf(at.running()).send({ timeoutMs: 30_000, ...request });
			const bytes = answer.headers['content-encoding'] === 'gzip' ? gunzipSync(answer.body) : answer.body;
			const text = bytes.toString();
			const isOne = text.startsWith('{') && !text.trimEnd().includes('\n');
			return { status: answer.status, body: isOne ? JSON.parse(text) : text };
		},
		close: () => {
			for (const client of clients.values()) client.close();
		},
	};
}

async function enrollDevice(
	{ send, office, nowMs }: Pick<Common, 'nowMs'> & Pick<HubWorld, 'office'> & { readonly send: Send },
	at: Restartable<RunningServer>,
	name: string,
): Promise<TestDevice> {
	const { code } = (await office('POST', '/codes', { name })).body;
	const key = await newKey();
	const body = { code, key: onlyPublic(key), name, version: '0.1.0' };
	const enrolled = await send(at, { method: 'POST', path: '/v1/enroll', body });
	if (enrolled.status !== 200) throw new Error(JSON.stringify(enrolled.body));
	return new TestDevice(send, at, { id: await deviceIdOf(onlyPublic(key)), key, nowMs });
}

interface Common {
	readonly root: string;
	readonly nowMs: () => number;
	readonly logger: Logger;
}

async function startCentre({
	root,
	nowMs,
	logger,
	store,
}: Common & { store?: string }): Promise<Restartable<RunningServer>> {
	const dir = join(root, 'centre');
	const data = { dir, ...(store !== undefined && { store }) };
	const issuer = await newIssuer();
	const office = await openOffice(data);
	await createOperators({ office, nowMs }).put({ venue: 'harbor', role: 'administrator', ...operator });
	await office.close();
	return restartable(dir, (port) =>
		startServer({ ...data, venue: 'harbor', issuer, log: logger, nowMs, host: '127.0.0.1', port, names: [] }),
	);
}

async function newHub(
	options: Common & Pick<HubWorld, 'office' | 'centre'> & { readonly name: string; readonly from?: string },
): Promise<Restartable<RunningHub>> {
	const { root, nowMs, logger, office, centre, name, from } = options;
	const dir = from ?? join(root, `${name}-${newRedemption()}`);
	if (from === undefined) {
		const { code } = (await office('POST', '/codes', { name, hub: true })).body;
		const { url: upstream, fingerprint } = centre.running();
		await enrollHub({ dir, upstream, fingerprint, code, hosts: ['localhost', '127.0.0.1'], again: false, nowMs });
	}
	const log = logger.child({ hub: name });
	const place = { dir, host: '127.0.0.1', names: [], log, nowMs, random: Math.random };
	return restartable(dir, (port) => startHub({ ...place, port }));
}

async function restartable<Server extends RunningServer>(
	dir: string,
	begin: (port: number) => Promise<Server>,
): Promise<Restartable<Server>> {
	let server: Server | undefined = await begin(0);
	const port = Number(new URL(server.url).port);
	return {
		dir,
		running: () => {
			if (server === undefined) throw new Error('the server is stopped');
			return server;
		},
		start: async () => {
			server ??= await begin(port);
		},
		stop: async () => {
			await server?.close();
			server = undefined;
		},
	};
}
