import { setTimeout as sleep } from 'node:timers/promises';
import { issueTicket } from '../../../gate-agent/core/issue.ts';
import type { Ledger } from '../../../gate-agent/core/ledger.ts';
import { createMemoryLedger } from '../../../gate-agent/core/memory-ledger.ts';
import { classPolicyDefaults } from '../../../gate-agent/core/policy.ts';
import type { JournalRow } from '../../../gate-agent/core/redemption.ts';
import type { HttpCall, Transport } from '../../../sync/client/transport.ts';
import { createHttpsClient } from '../../../sync/node/https-client.ts';
import { createHttpsTransport } from '../../../sync/node/https-transport.ts';
import { nodeClock } from '../../../sync/node/node-clock.ts';
import { formatEnrollmentLink } from '../../../sync/protocol/enrollment-link.ts';
import { type ServerUnderTest, startServerUnderTest } from '../../../sync/server/running-server.suite.ts';
import { createHandheld } from './create-handheld.ts';
import type { Handheld } from './handheld.ts';
import type { HandheldDeps } from './handheld-deps.ts';
import { createMemoryKeyStore, type KeyStore } from './key-store.ts';
import { streamZlib } from './stream-zlib.ts';

/** The event of every world. */
export const evt = 'lantern-2026';

/** The PIN of everybody. */
export const pin = '482913';

/** How long anything may take on a machine that is busy. */
const patienceMs = 20_000;

const policy = {
	...{ evt, timeZone: 'Asia/Shanghai', dayStartsAtMinutes: 0, unknownClass: 'admit', sessions: {} },
	classes: {
		adult: classPolicyDefaults,
		child: { ...classPolicyDefaults, lane: 'confirm', cue: 'check_height' },
		online: { ...classPolicyDefaults, offline: 'refuse' },
	},
};

/** A venue whose server runs in this process. */
export interface World {
	readonly venue: ServerUnderTest;
	office(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
	/** A code that the venue's issuer has signed. */
	ticket(cls: string, more?: object): Promise<{ readonly code: string; readonly idx: number }>;
	addStaff(name: string, role: 'steward' | 'supervisor'): Promise<void>;
	/** A device that is not enrolled. */
	device(name: string): Device;
	close(): Promise<void>;
}

/** A phone: what is kept on it outlives the page. */
export interface Device {
	readonly name: string;
	readonly keys: KeyStore;
	/** Whether the network is there. */
	online: boolean;
	/** Milliseconds by which its clocks run ahead. */
	aheadMs: number;
	/** Opens the page. */
	open(): Promise<Handheld>;
	/** What the enrollment QR code says. */
	link(): Promise<string>;
	/** Opens, enrolls and signs somebody in. */
	ready(name: string): Promise<Handheld>;
	ledger(): Ledger;
	rows(): Promise<readonly JournalRow[]>;
}

/** Looks again and again until `look` gives something. */
export async function until<T>(
	what: string,
	look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
	const endMs = performance.now() + patienceMs;
	for (;;) {
		const seen = await look();
		if (seen !== undefined && seen !== false) return seen;
		if (performance.now() > endMs) throw new Error(`there was no: ${what}`);
		await sleep(10);
	}
}

/** Starts a venue with an event on sale. */
export async function startWorld(): Promise<World> {
	const venue = await startServerUnderTest();
	const session = await venue.login();
	const office: World['office'] = (method, path, body) =>
		venue.ask({ method, path: `/v1/office${path}`, ...(body !== undefined && { body }) }, session);
	await office('PUT', `/events/${evt}`, { policy });
	const opened: Handheld[] = [];
	const staff = new Set<string>();
	let tickets = 0;
	return {
		venue,
		office,
		ticket: async (cls, more = {}) => {
			tickets += 1;
			const claims = { evt, idx: tickets, cls, nbf: 0, exp: 4_000_000_000, ...more };
			return { code: await issueTicket(claims, venue.issuer.keyFor(evt, tickets) as never, 'compact'), idx: tickets };
		},
		addStaff: async (name, role) => {
			if (staff.has(name)) return;
			staff.add(name);
			const { status, body } = await office('POST', '/staff', { name, role, pin });
			if (status !== 200) throw new Error(JSON.stringify(body));
		},
		device: (name) => makeDevice({ venue, office, opened }, name),
		close: async () => {
			for (const handheld of opened) await handheld.close();
			await venue.close();
		},
	};
}

interface Making {
	readonly venue: ServerUnderTest;
	readonly office: World['office'];
	readonly opened: Handheld[];
}

function makeDevice({ venue, office, opened }: Making, name: string): Device {
	const keys = createMemoryKeyStore();
	const network: Network = { isUp: true, cut: newCut() };
	let ledger: Ledger | undefined;
	const { url, fingerprint } = venue.server;
	const https = createHttpsTransport(
		createHttpsClient({ url, fingerprint, trustedNowMs: Date.now, connectMs: 30_000 }),
	);
	const device: Device = {
		...{ name, keys, aheadMs: 0 },
		get online() {
			return network.isUp;
		},
		set online(isUp) {
			network.isUp = isUp;
			if (!isUp) network.cut.reject(new Error('the network broke'));
			else network.cut = newCut();
		},
		open: async () => {
			const handheld = await createHandheld(
				depsOf(device, { url, transport: cuttable(network, https), open: openLedger }),
			);
			opened.push(handheld);
			return handheld;
		},
		link: async () => {
			const { body } = await office('POST', '/codes', { name });
			return formatEnrollmentLink({ url, fingerprint, code: (body as { code: string }).code });
		},
		ready: async (staff) => {
			const handheld = await device.open();
			await handheld.enroll(await device.link(), name);
			await handheld.signIn(staff, pin);
			await until('a link', () => linkOf(handheld)?.state === 'online' && linkOf(handheld)?.events.length === 1);
			return handheld;
		},
		ledger: openLedger,
		rows: async () => {
			await openLedger().flush();
			return openLedger().rows(0, 1_000);
		},
	};
	function openLedger(): Ledger {
		ledger ??= createMemoryLedger({ epoch: 'epoch-1', device: name });
		return ledger;
	}
	return device;
}

/** How a handheld stands with its venue, where it says so. */
export function linkOf(handheld: Handheld) {
	const state = handheld.state();
	return 'link' in state ? state.link : undefined;
}

interface Place {
	readonly url: string;
	readonly transport: Transport;
	readonly open: () => Ledger;
}

function depsOf(device: Device, { url, transport, open }: Place): HandheldDeps {
	return {
		...{ origin: url, version: 'handheld/0.1.0', transport, random: Math.random, zlib: streamZlib, crypto },
		clock: { monoMs: () => nodeClock.monoMs() + device.aheadMs, sleep: nodeClock.sleep },
		systemMs: () => Date.now() + device.aheadMs,
		openKeys: async () => device.keys,
		// A page that ends does not end the ledger of a memory that the next page reads.
		openLedger: async () => ({
			kind: 'open',
			ledger: kept(open()),
			lost: new Promise(() => undefined),
		}),
		prepareCrypto: async () => undefined,
		persist: async () => true,
		onWake: () => () => undefined,
		log: () => undefined,
	};
}

/** The same ledger, which outlives the page that closes it. */
function kept(ledger: Ledger): Ledger {
	return new Proxy(ledger, {
		get: (target, name) => {
			if (name === 'close') return async () => undefined;
			const value: unknown = Reflect.get(target, name, target);
			return typeof value === 'function' ? value.bind(target) : value;
		},
	});
}

/** A network that can break, also in the middle of an answer. */
interface Network {
	isUp: boolean;
	cut: PromiseWithResolvers<never>;
}

function newCut(): PromiseWithResolvers<never> {
	const cut = Promise.withResolvers<never>();
	cut.promise.catch(() => undefined);
	return cut;
}

function cuttable(network: Network, https: Transport): Transport {
	const cut = <T>(call: HttpCall, go: (call: HttpCall) => Promise<T>): Promise<T> =>
		network.isUp ? go(call) : Promise.reject(new Error('there is no network'));
	return {
		send: (call) => cut(call, https.send),
		open: (call) =>
			cut(call, async (each) => {
				const stream = await https.open?.(each);
				if (stream === undefined) throw new Error('no stream');
				return { ...stream, chunks: untilCut(stream.chunks, network.cut.promise) };
			}),
	};
}

async function* untilCut(chunks: AsyncIterable<Uint8Array>, cut: Promise<never>): AsyncGenerator<Uint8Array> {
	const each = chunks[Symbol.asyncIterator]();
	for (;;) {
		const next = await Promise.race([each.next(), cut]);
		if (next.done === true) return;
		yield next.value;
	}
}
