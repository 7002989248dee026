import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { type Logger, pino } from 'pino';
import { onlyPublic } from '../../../gate-agent/core/jwk.ts';
import { createHttpsClient, type HttpsClient, type HttpsRequest } from '../../node/https-client.ts';
import type { Claim, ClaimAnswer } from '../../protocol/claims.ts';
import { type Cursor, formatCursor } from '../../protocol/cursor.ts';
import { deviceIdOf } from '../../protocol/enroll.ts';
import type { FeedEntry, FeedPage } from '../../protocol/feed.ts';
import { signSegment } from '../../protocol/segment-jws.ts';
import { createOperators } from '../office/operators.ts';
import { askToken, newIssuer, newKey, operator } from '../running-server.suite.ts';
import { openOffice, type RunningServer, startServer } from '../start.ts';
import { type DeviceJournal, evt, firstEpoch, journalOf, newRedemption } from '../testing/device-journal.ts';
import { enrollHub } from './enrollment.ts';
import { type RunningHub, startHub } from './start-hub.ts';

/** The rules of the event of every test. */
const policy = {
	evt,
	timeZone: 'Asia/Shanghai',
	dayStartsAtMinutes: 0,
	classes: {},
	unknownClass: 'admit',
	sessions: {},
};

/** A server that can be stopped and started again at its address. */
export interface Restartable<Server extends RunningServer> {
	readonly dir: string;
	running(): Server;
	start(): Promise<void>;
	stop(): Promise<void>;
}

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
	ask(at: Restartable<RunningServer>, request: HttpsRequest): Promise<Answer>;
	close(): Promise<void>;
}

/** An answer as JSON. */
export interface Answer {
	readonly status: number;
	// Tests look at members that they expect.
	// biome-ignore lint/suspicious/noExplicitAny: the form of the answer is what the test asserts
	readonly body: any;
}

/** A device with a real key that keeps a journal and speaks to one server at a time. */
export interface TestDevice {
	readonly id: string;
	readonly journal: DeviceJournal;
	/** From now on it speaks to another server, with the same key. */
	moveTo(at: Restartable<RunningServer>): void;
	claim(...claims: readonly (Partial<Claim> & { readonly idx: number })[]): Promise<Answer>;
	/** Claims a ticket and, where it is granted, writes the rows of the admission. */
	admit(idx: number, over?: Partial<Claim>): Promise<'granted' | string>;
	/** Pushes all rows that the server does not have. */
	push(): Promise<Answer>;
	openClaims(): Promise<Answer>;
	snapshot(): Promise<Answer>;
	/** Entries of the feed after a cursor. */
	feed(since: Cursor): Promise<readonly FeedEntry[]>;
	call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer>;
}

/** Starts a venue. `store` says where the centre keeps its data. */
export async function startHubWorld(
	options: { readonly store?: string; readonly startMs?: number } = {},
): Promise<HubWorld> {
	const root = await mkdtemp(join(tmpdir(), 'stileward-hub-'));
	const clock = { nowMs: options.startMs ?? Date.now() };
	const nowMs = () => clock.nowMs;
	const log: string[] = [];
	const logger = pino({ level: 'info' }, { write: (line: string) => void log.push(line) });
	const closing: (() => Promise<unknown> | unknown)[] = [];
	const centre = await startCentre({ root, nowMs, logger, ...(options.store && { store: options.store }) });
	closing.push(() => centre.stop());
	const clients = new Map<string, HttpsClient>();
	const clientOf = (server: RunningServer) => {
		const known = clients.get(server.url);
		const { url, fingerprint } = server;
		const client = known ?? createHttpsClient({ url, fingerprint, trustedNowMs: nowMs, socketsMax: 64 });
		clients.set(url, client);
		return client;
	};
	const send: Send = async (at, request) => {
		const answer = await clientOf(at.running()).send({ timeoutMs: 30_000, ...request });
		return { status: answer.status, body: JSON.parse(answer.body.toString() || 'null') };
	};
	const login = await send(centre, { method: 'POST', path: '/v1/office/login', body: operator });
	const office: HubWorld['office'] = (method, path, body) =>
		send(centre, {
			method,
			path: `/v1/office${path}`,
			headers: { authorization: `Bearer ${login.body.token}` },
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
		addDevice: async (at, name = `gate-${++names}`) => {
			const { code } = (await office('POST', '/codes', { name })).body;
			const key = await newKey();
			const enrolled = await send(at, {
				method: 'POST',
				path: '/v1/enroll',
				body: { code, key: onlyPublic(key), name, version: '0.1.0' },
			});
			if (enrolled.status !== 200) throw new Error(JSON.stringify(enrolled.body));
			return deviceOf(send, at, { id: await deviceIdOf(onlyPublic(key)), key, nowMs });
		},
		setAuthority: async (server, abandon = false) => {
			const set = await office('POST', '/authority', { server, abandon });
			if (set.status !== 200) throw new Error(JSON.stringify(set.body));
			return set.body.epoch;
		},
		ask: send,
		close: async () => {
			for (const end of closing) await end();
			for (const client of clients.values()) client.close();
			await rm(root, { recursive: true, force: true });
		},
	};
}

type Send = HubWorld['ask'];

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
		await enrollHub({ dir, upstream, fingerprint, code, hosts: ['localhost', '127.0.0.1'], nowMs });
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

interface Identity {
	readonly id: string;
	readonly key: JWK;
	readonly nowMs: () => number;
}

function deviceOf(send: Send, first: Restartable<RunningServer>, { id, key, nowMs }: Identity): TestDevice {
	const journal = journalOf('harbor', id);
	let at = first;
	let token: string | undefined;
	let through = 0;
	const call: TestDevice['call'] = async (method, path, body) => {
		for (let attempt = 1; ; attempt++) {
			token ??= await tokenOf(send, at, { id, key, nowMs });
			const headers = { authorization: `Bearer ${token}` };
			const answer = await send(at, { method, path, headers, ...(body !== undefined && { body }) });
			if (answer.body?.code !== 'token_invalid' || attempt === 2) return answer;
			token = undefined;
		}
	};
	const claim: TestDevice['claim'] = (...claims) =>
		call('POST', '/v1/claims', {
			claims: claims.map((each) => ({
				...{ redemption: newRedemption(), journal: firstEpoch, evt, allowance: 'ticket', cls: 'adult' },
				...{ use: 1, uses: 1, lane: 'lane-1', atMs: nowMs(), ...each },
			})),
		});
	return {
		id,
		journal,
		call,
		claim,
		moveTo: (other) => {
			at = other;
			token = undefined;
		},
		admit: async (idx, over = {}) => {
			const redemption = newRedemption();
			const { body } = await claim({ redemption, idx, ...over });
			const answer: ClaimAnswer | undefined = body.answers?.[0];
			if (answer?.result !== 'granted') return answer?.reason ?? body.code;
			journal.admit({ idx, redemption, rung: 'authority', taken: 1 });
			return 'granted';
		},
		push: async () => {
			for (;;) {
				const { rows } = journal;
				if (through >= rows.length) return { status: 200, body: { acceptedThrough: through } };
				const cut = journal.segment(through + 1, Math.min(rows.length, through + 500));
				const { deviceEpoch: epoch, from, to, prevHash } = cut;
				const segment = await signSegment({ device: id, epoch, from, to, prevHash, rows: [...cut.rows] }, key);
				const answer = await call('POST', '/v1/segments', { segment });
				if (answer.status !== 200 || answer.body.status === 'quarantined') return answer;
				through = answer.body.acceptedThrough;
			}
		},
		openClaims: () => call('GET', '/v1/claims/open'),
		snapshot: () => call('GET', '/v1/snapshot'),
		feed: async (since) => {
			const entries: FeedEntry[] = [];
			for (let cursor = since; ; ) {
				const { status, body } = await call('GET', `/v1/feed?since=${formatCursor(cursor)}`);
				if (status !== 200) throw new Error(JSON.stringify(body));
				const page: FeedPage = body;
				if (page.entries.length === 0) return entries;
				entries.push(...page.entries);
				cursor = page.next;
			}
		},
	};
}

async function tokenOf(send: Send, at: Restartable<RunningServer>, { id, key }: Identity): Promise<string> {
	const { body } = await askToken((request) => send(at, request), { id, key });
	const { access_token } = body as { access_token?: string };
	if (access_token === undefined) throw new Error(JSON.stringify(body));
	return access_token;
}
