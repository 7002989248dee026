import { deflateSync, inflateSync } from 'node:zlib';
import type { JWK } from 'jose';
import { wholeTicket } from '../../gate-agent/core/allowance.ts';
import { onlyPublic } from '../../gate-agent/core/jwk.ts';
import type { Fact, RedemptionId } from '../../gate-agent/core/redemption.ts';
import type { Zlib } from '../../gate-agent/core/status-list.ts';
import { ed25519Jwk, p256Jwk, rootJwk } from '../../gate-agent/core/test-issuer.suite.ts';
import { ticketId } from '../../gate-agent/core/ticket.ts';
import type { Claim } from '../protocol/claims.ts';
import { signDeviceAssertion } from '../protocol/device-assertion.ts';
import { deviceIdOf } from '../protocol/enroll.ts';
import { signSegment } from '../protocol/segment-jws.ts';
import { openTime, signTime } from '../protocol/signed-time.ts';
import { claimBudgetMs } from './claimer.ts';
import { createSyncClient, type SyncClient } from './sync-client.ts';
import { clearWeather, createFakeNetwork, type Weather } from './testing/fake-network.ts';
import { FakeVenue } from './testing/fake-venue.ts';
import { createMemoryOutbox, type MemoryOutbox } from './testing/memory-outbox.ts';
import { createMemoryReplica, type MemoryReplica } from './testing/memory-replica.ts';
import { createVirtualClock, type VirtualClock } from './testing/virtual-clock.ts';

export const evt = 'lantern-2026';
export const zlib: Zlib = {
	deflate: (bytes) => deflateSync(bytes),
	inflate: (bytes, bytesMax) => inflateSync(bytes, { maxOutputLength: bytesMax }),
};

/** Numbers that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** A text of 22 characters that no other call gives. */
export function idsOf(prefix: string): () => string {
	let count = 0;
	return () => `${prefix}${(count++).toString(36)}`.padEnd(22, '_').slice(0, 22);
}

/** One gate of a venue, with its network. */
export interface Gate {
	readonly device: string;
	readonly client: SyncClient;
	readonly outbox: MemoryOutbox;
	readonly replica: MemoryReplica;
	readonly weather: Weather;
	readonly floors: number[];
	readonly commands: string[];
	/** Journals that the server knew more of. */
	readonly behind: string[];
	readonly stop: () => void;
	readonly running: Promise<void>;
}

/** A venue in memory with gates, under one virtual clock. */
export interface World {
	readonly clock: VirtualClock;
	readonly venue: FakeVenue;
	readonly random: () => number;
	addGate(options?: GateOptions): Promise<Gate>;
}

/** How a gate differs from an ordinary one: by its key, its network, and the ledger that it has kept. */
export interface GateOptions {
	readonly key?: JWK;
	readonly streams?: boolean;
	readonly weather?: Partial<Weather>;
	readonly outbox?: MemoryOutbox;
	readonly replica?: MemoryReplica;
	/** Device epoch of its journal. */
	readonly journal?: string;
}

export const startMs = 1_790_000_000_000;

/** Device epoch of a gate's journal, unless it says otherwise. */
export const journal = 'e1';

export function createWorld(seed = 1): World {
	const clock = createVirtualClock(() => new Promise((resolve) => setImmediate(resolve)));
	const random = randomOf(seed);
	const venue = new FakeVenue({
		clock,
		zlib,
		server: 'centre',
		venue: 'lantern-park',
		startMs,
		timeKey: onlyPublic(rootJwk),
		signTime: (time) => signTime(time, rootJwk),
		newNonce: idsOf('server-'),
	});
	venue.tell({ kind: 'policy', evt, policy: { evt } });
	return { clock, venue, random, addGate: (options = {}) => addGate({ clock, venue, random }, options) };
}

type Surroundings = Pick<World, 'clock' | 'venue' | 'random'>;

async function addGate({ clock, venue, random }: Surroundings, options: GateOptions): Promise<Gate> {
	const key = options.key ?? ed25519Jwk;
	const device = await deviceIdOf(onlyPublic(key));
	if (!venue.devices.has(device)) venue.devices.set(device, { key: onlyPublic(key), disabled: false });
	const weather = { ...clearWeather(), ...options.weather };
	const outbox = options.outbox ?? createMemoryOutbox({ device, epoch: options.journal ?? journal });
	const replica = options.replica ?? createMemoryReplica();
	const newNonce = idsOf(`${device.slice(0, 4)}${Math.floor(random() * 1e6)}-`);
	const ended = new AbortController();
	const [floors, commands, behind]: [number[], string[], string[]] = [[], [], []];
	const client = await createSyncClient({
		transport: createFakeNetwork({ server: venue, weather, clock, random, streams: options.streams ?? false }),
		clock,
		random,
		newNonce,
		zlib,
		server: 'centre',
		outbox,
		journal: outbox,
		replica,
		claimBudgetMs: claimBudgetMs.wired,
		signAssertion: (challenge) => {
			const request = { device, venue: 'lantern-park', server: 'centre', jti: newNonce(), ...challenge };
			return clock.busy(signDeviceAssertion(request, key));
		},
		signSegment: (segment) => clock.busy(signSegment(segment, key)),
		openTime: (jws, nonce) => clock.busy(openTime(jws, { nonce, keys: [onlyPublic(rootJwk)] })),
		acceptKeys: async (manifest) => manifest === 'good',
		onTimeKeys: () => {},
		onFloor: (ms) => floors.push(ms),
		onCommand: ({ id }) => commands.push(id),
		onConflicts: () => {},
		standing: () => ({ version: '0.1.0', clockTrusted: true, lanes: [] }),
		onBehind: async () => {
			behind.push(outbox.epoch);
		},
		signal: ended.signal,
	});
	const running = client.loop.run(ended.signal);
	return { device, client, outbox, replica, weather, floors, commands, behind, stop: () => ended.abort(), running };
}

const newRedemption = idsOf('redemption');

/** A claim of an ordinary ticket. */
export function claimOf(idx: number, rest: Partial<Claim> = {}): Claim {
	const ordinary = { evt, idx, allowance: wholeTicket, cls: 'adult', use: 1, uses: 1, lane: 'lane-1', atMs: startMs };
	return { redemption: newRedemption(), journal, ...ordinary, ...rest };
}

/** The rows of an admission as a lane writes them. */
export function admit(gate: Gate, claim: Claim, rung: 'authority' | 'local'): void {
	const redemption = claim.redemption as RedemptionId;
	const ticket = ticketId(claim.evt, claim.idx);
	const facts: Fact[] = [
		{
			kind: 'granted',
			redemption,
			ticket,
			allowance: wholeTicket,
			cls: claim.cls,
			uses: 1,
			rung,
			lane: claim.lane,
			zone: 'main',
		},
		{ kind: 'settled', redemption, ticket, outcome: 'taken', taken: 1, of: 1, back: 0, lane: claim.lane },
	];
	for (const fact of facts) gate.outbox.append(fact, claim.atMs);
	gate.client.claimer.done(redemption);
	gate.client.loop.rowsWritten();
}

export { p256Jwk };
