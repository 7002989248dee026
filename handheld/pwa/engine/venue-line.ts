import type { AgentClock } from '../../../gate-agent/core/agent-clock.ts';
import type { Authority } from '../../../gate-agent/core/authority.ts';
import type { Standing } from '../../../gate-agent/core/decide.ts';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { Keyset } from '../../../gate-agent/core/keyset.ts';
import type { Ledger } from '../../../gate-agent/core/ledger.ts';
import { createListAge, type ListAge } from '../../../gate-agent/core/list-age.ts';
import type { Policy } from '../../../gate-agent/core/policy.ts';
import { startedFact } from '../../../gate-agent/core/started.ts';
import { openVenueKeys } from '../../../gate-agent/core/venue-keys.ts';
import { authorityOf } from '../../../sync/client/claim-authority.ts';
import { type LedgerSync, openLedgerSync } from '../../../sync/client/ledger-sync.ts';
import type { Session } from '../../../sync/client/session.ts';
import { createSyncClient, type SyncClient } from '../../../sync/client/sync-client.ts';
import type { SyncStatus } from '../../../sync/client/sync-loop.ts';
import { signDeviceAssertion } from '../../../sync/protocol/device-assertion.ts';
import { signSegment } from '../../../sync/protocol/segment-jws.ts';
import { openTime } from '../../../sync/protocol/signed-time.ts';
import type { HandheldDeps } from './handheld-deps.ts';
import { type Identity, saveIdentity } from './identity.ts';
import type { KeyStore } from './key-store.ts';
import { newNonce } from './random-ids.ts';

/** What a handheld needs to be a part of its venue. */
export interface VenueLineOptions {
	readonly deps: HandheldDeps;
	readonly keys: KeyStore;
	readonly identity: Identity;
	readonly ledger: Ledger;
	readonly clock: AgentClock;
	/** Something changed that a screen shows. */
	readonly onChange: () => void;
	/** How the lane stands, for people at the server. */
	readonly mode: () => 'entry' | 'exit';
}

/** A handheld's part in its venue: whom to ask, by which rules, and how it stands. */
export interface VenueLine {
	readonly authority: Authority;
	readonly session: Session;
	readonly keyset: () => Keyset;
	policies(): readonly Policy[];
	policyOf(evt: string): Policy | undefined;
	standing(): Standing;
	listsStale(policy: Policy): boolean;
	/** As of the newest look. */
	status(): SyncStatus;
	listAgeMs(): number;
	/** Looks how things stand now. Rejects where the ledger cannot be read. */
	look(): Promise<void>;
	rowsWritten(): void;
	/** The network may be there again: nobody waits for the next attempt. */
	wake(): void;
	close(): Promise<void>;
}

/** How long a handheld on Wi-Fi waits for the authority while a visitor stands there. */
const claimBudgetMs = 600;

/** How long the sync may take to end. */
const closeWaitMs = 1_000;

/** Joins a handheld to the server of its enrollment. Without the server it decides by policy. */
export async function openVenueLine(options: VenueLineOptions): Promise<VenueLine> {
	const { deps, identity, ledger, clock } = options;
	const ended = new AbortController();
	const sync = await openLedgerSync({
		...{ ledger, device: identity.device, nowMs: () => clock.read().nowMs, onRules: options.onChange },
		onPolicyRefused: (evt) => deps.log('policy_refused', { evt }),
	});
	const keys = await openVenueKeys(identity.rootKey, sync.rules().manifest);
	const client = await follow(options, { sync, accept: keys.accept, signal: ended.signal });
	const listAge = await createListAge(ledger, () => clock.read().nowMs);
	let status = await client.loop.status();
	const running = client.loop.run(ended.signal);
	return {
		authority: authorityOf(client.claimer, () => ledger.epoch),
		session: client.session,
		keyset: keys.keyset,
		policies: () => Object.values(sync.rules().policies),
		policyOf: (evt) => (Object.hasOwn(sync.rules().policies, evt) ? sync.rules().policies[evt] : undefined),
		standing: () => standingOf(sync, status),
		listsStale: listAge.isStale,
		status: () => status,
		listAgeMs: listAge.ageMs,
		look: async () => {
			status = await lookAgain({ client, sync, listAge });
		},
		rowsWritten: () => client.loop.rowsWritten(),
		wake: () => client.loop.pullNow(),
		close: async () => {
			ended.abort();
			await Promise.race([running, deps.clock.sleep(closeWaitMs)]);
		},
	};
}

interface Following {
	readonly sync: LedgerSync;
	readonly accept: (manifest: string) => Promise<boolean>;
	readonly signal: AbortSignal;
}

function follow(options: VenueLineOptions, { sync, accept, signal }: Following): Promise<SyncClient> {
	const { deps, identity, clock } = options;
	const nonce = () => newNonce(deps.crypto);
	return createSyncClient({
		...{ ...sync, transport: deps.transport, clock: deps.clock, random: deps.random, zlib: deps.zlib },
		...{ newNonce: nonce, server: identity.server, claimBudgetMs, acceptKeys: accept, signal },
		...identityOf(options, nonce),
		onFloor: clock.learn,
		// A handheld has no lane that others could open.
		onCommand: ({ id }) => deps.log('command_ignored', { id }),
		onConflicts: (conflicts) => deps.log('conflict', { conflicts }),
		standing: () => reportOf(options),
		onBehind: () => beginEpoch(options),
	});
}

/** What the device signs, and whose time it believes. */
function identityOf({ identity, keys }: VenueLineOptions, nonce: () => string) {
	const { device, venue, server, key } = identity;
	let { timeKeys } = identity;
	return {
		signAssertion: (challenge: { readonly nonce: string; readonly nowMs: number }) =>
			signDeviceAssertion({ device, venue, server, jti: nonce(), ...challenge }, key),
		signSegment: (segment: Parameters<typeof signSegment>[0]) => signSegment(segment, key),
		openTime: (jws: string, asked: string) => openTime(jws, { nonce: asked, keys: timeKeys }),
		onTimeKeys: (newest: Identity['timeKeys']) => {
			if (JSON.stringify(newest) === JSON.stringify(timeKeys)) return;
			timeKeys = newest;
			// What is not kept is told again with the next token.
			void saveIdentity(keys, { ...identity, timeKeys }).catch(() => undefined);
		},
	};
}

function reportOf({ deps, clock, identity, mode }: VenueLineOptions) {
	const { trusted, serverOffsetMs, monoMs } = clock.read();
	const offset = serverOffsetMs === undefined ? undefined : Math.round(monoMs + serverOffsetMs - deps.systemMs());
	const lane = { lane: identity.lane, mode: mode(), phase: 'idle', emergency: false, missing: [], alarms: [] };
	return {
		...{ version: deps.version, clockTrusted: trusted, lanes: [lane] },
		...(offset !== undefined && { clockOffsetMs: offset }),
	};
}

/** An old copy of the data came back: its next row numbers are spent, so that the journal begins anew. */
async function beginEpoch({ deps, ledger, clock, identity }: VenueLineOptions): Promise<void> {
	try {
		await ledger.beginEpoch();
		const started = startedFact({ clock, agent: identity.name, version: deps.version });
		await ledger.record(started, clock.read().nowMs);
		deps.log('journal_behind', { epoch: ledger.epoch });
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		deps.log('ledger_failed', { code: error.code });
	}
}

async function lookAgain(at: {
	readonly client: SyncClient;
	readonly sync: LedgerSync;
	readonly listAge: ListAge;
}): Promise<SyncStatus> {
	const status = await at.client.loop.status();
	if (status.problem === 'device_disabled' && at.sync.rules().standing !== 'disabled') await at.sync.disable();
	await at.listAge.confirm(status.listAgeMs);
	return status;
}

/** What the feed says, what the server answers to the journal, the worse of both. */
function standingOf(sync: LedgerSync, { journal }: SyncStatus): Standing {
	const { standing } = sync.rules();
	return standing !== 'disabled' && journal === 'quarantined' ? 'quarantined' : standing;
}
