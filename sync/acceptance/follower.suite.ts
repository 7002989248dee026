import { wholeTicket } from '../../gate-agent/core/allowance.ts';
import type { Decision } from '../../gate-agent/core/decide.ts';
import type { Ledger, RedeemRequest } from '../../gate-agent/core/ledger.ts';
import { createMemoryLedger } from '../../gate-agent/core/memory-ledger.ts';
import type { RedemptionId, Rung } from '../../gate-agent/core/redemption.ts';
import { ticketId } from '../../gate-agent/core/ticket.ts';
import { openVenueKeys, type VenueKeys } from '../../gate-agent/core/venue-keys.ts';
import { claimBudgetMs } from '../client/claimer.ts';
import type { ClientClock } from '../client/client-clock.ts';
import { openLedgerSync } from '../client/ledger-sync.ts';
import { createSyncClient, type SyncClient } from '../client/sync-client.ts';
import type { SyncStatus } from '../client/sync-loop.ts';
import { createHttpsClient } from '../node/https-client.ts';
import { createHttpsTransport } from '../node/https-transport.ts';
import { nodeClock } from '../node/node-clock.ts';
import { nodeZlib } from '../node/node-zlib.ts';
import { signDeviceAssertion } from '../protocol/device-assertion.ts';
import { signSegment } from '../protocol/segment-jws.ts';
import { openTime } from '../protocol/signed-time.ts';
import { type Identity, newId } from './device.suite.ts';
import { evt } from './venue.suite.ts';

/** The real sync client over a ledger, as a gate runs it, without the gate's lanes. */
export interface Follower {
	readonly client: SyncClient;
	readonly ledger: Ledger;
	readonly keys: VenueKeys;
	status(): Promise<SyncStatus>;
	/** What a lane would know of this ticket now. */
	isRevoked(idx: number): Promise<boolean>;
	/** Admits and settles as a lane does; gives the redemption. */
	admit(idx: number, rung?: Rung): Promise<string>;
	stop(): Promise<void>;
}

/** How a follower differs from an ordinary one. */
export interface FollowerOptions {
	/** Where it finds its server. */
	readonly url: string;
	readonly fingerprint: string;
	readonly ledger?: Ledger;
	/** How much faster than the world its clock goes: what waits for 45 seconds need not take them in a test. */
	readonly pace?: number;
}

/** Follows a venue with a device's key. */
export async function follow(identity: Identity, options: FollowerOptions): Promise<Follower> {
	const { id: device, key, enrollment } = identity;
	const { ledger = createMemoryLedger({ epoch: 'epoch-1', device, newEpoch: newId }), pace = 1 } = options;
	const clock = paced(pace);
	const https = createHttpsClient({ ...options, trustedNowMs: Date.now });
	const ended = new AbortController();
	const sync = await openLedgerSync({
		...{ ledger, device, nowMs: Date.now },
		onRules: () => {},
		onPolicyRefused: (event) => {
			throw new Error(`the rules of ${event} are not understood`);
		},
	});
	const keys = await openVenueKeys(enrollment.rootKey, sync.rules().manifest);
	let { timeKeys } = enrollment;
	const client = await createSyncClient({
		...sync,
		...{ transport: createHttpsTransport(https), clock, zlib: nodeZlib, newNonce: newId, random: Math.random },
		...{ server: enrollment.server, claimBudgetMs: claimBudgetMs.wired * pace, acceptKeys: keys.accept },
		signAssertion: (challenge) => {
			const { venue, server } = enrollment;
			return signDeviceAssertion({ device, venue, server, jti: newId(), ...challenge }, key);
		},
		signSegment: (segment) => signSegment(segment, key),
		openTime: (jws, nonce) => openTime(jws, { nonce, keys: timeKeys }),
		onTimeKeys: (newest) => {
			timeKeys = newest;
		},
		...{ onFloor: () => {}, onCommand: () => {}, onConflicts: () => {} },
		standing: () => ({ version: '1', clockTrusted: true, lanes: [] }),
		onBehind: () => ledger.beginEpoch(),
		signal: ended.signal,
	});
	const running = client.loop.run(ended.signal);
	return {
		...{ client, ledger, keys },
		status: () => client.loop.status(),
		isRevoked: async (idx) => (await ledger.history(requestOf(idx))).revoked === true,
		admit: async (idx, rung = 'local') => {
			const request = requestOf(idx);
			await ledger.redeem(request, () => grant(rung));
			const passed = { outcome: 'taken', taken: 1, back: false, counted: false } as const;
			await ledger.settle({ redemptionId: request.redemptionId, ...passed }, Date.now());
			client.loop.rowsWritten();
			return request.redemptionId;
		},
		stop: async () => {
			ended.abort();
			https.close();
			await running;
		},
	};
}

/** A request of a lane for the whole ticket. */
function requestOf(idx: number): RedeemRequest {
	// Made in the form of real ones.
	const redemptionId = newId() as RedemptionId;
	const about = { ticketId: ticketId(evt, idx), evt, idx, allowance: wholeTicket, cls: 'adult', use: 1 };
	return { redemptionId, ...about, lane: 'lane-1', zone: 'main', atMs: Date.now() };
}

function grant(rung: Rung): Decision {
	return { kind: 'grant', direction: 'entry', allowance: wholeTicket, uses: 1, reentry: false, rung, left: 0 };
}

function paced(pace: number): ClientClock {
	return {
		monoMs: () => nodeClock.monoMs() * pace,
		sleep: (ms, signal) => nodeClock.sleep(ms / pace, signal),
	};
}
