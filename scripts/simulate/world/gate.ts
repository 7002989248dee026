import type { JWK } from 'jose';
import { pino } from 'pino';
import { type AgentClock, createAgentClock } from '../../../gate-agent/agent-clock.ts';
import { onlyPublic, type PublicJwk } from '../../../gate-agent/core/jwk.ts';
import { openManifest } from '../../../gate-agent/core/key-manifest.ts';
import { advanceKeyset, type Keyset } from '../../../gate-agent/core/keyset.ts';
import type { LaneConfig } from '../../../gate-agent/core/lane-state.ts';
import type { Ledger } from '../../../gate-agent/core/ledger.ts';
import { createLedgerWriter, type LedgerWriter } from '../../../gate-agent/ledger-writer.ts';
import { authorityOf } from '../../../sync/client/claim-authority.ts';
import { claimBudgetMs } from '../../../sync/client/claimer.ts';
import { type LedgerSync, openLedgerSync } from '../../../sync/client/ledger-sync.ts';
import { createSyncClient, type SyncClient } from '../../../sync/client/sync-client.ts';
import type { SyncStatus } from '../../../sync/client/sync-loop.ts';
import type { Transport } from '../../../sync/client/transport.ts';
import { nodeZlib } from '../../../sync/node/node-zlib.ts';
import { signDeviceAssertion } from '../../../sync/protocol/device-assertion.ts';
import { signSegment } from '../../../sync/protocol/segment-jws.ts';
import { openTime } from '../../../sync/protocol/signed-time.ts';
import type { Chance } from '../runtime/chance.ts';
import type { VirtualProcess, VirtualTime } from '../runtime/virtual-time.ts';
import { startGateLane } from './gate-lane.ts';
import type { LaneSite } from './lane-site.ts';
import type { LedgerDisk } from './ledger-disk.ts';

/** What a device got when it was enrolled. */
export interface Enrollment {
	readonly device: string;
	readonly key: JWK;
	readonly venue: string;
	readonly server: string;
	readonly rootKey: PublicJwk;
	readonly timeKeys: readonly PublicJwk[];
}

/** A gate of the world: its box, with a disk and lanes, whether its program runs or not. */
export interface Gate {
	/** What the story and the policy call it: `gate-1`. */
	readonly name: string;
	readonly device: string;
	readonly disk: LedgerDisk;
	readonly sites: readonly LaneSite[];
	readonly isUp: boolean;
	start(): void;
	/** Ends the program between two of its steps. */
	crash(): void;
	/** How its sync stands; undefined while it does not run. */
	status(): Promise<SyncStatus> | undefined;
	/** The open ledger of the running program. */
	ledger(): Ledger | undefined;
}

/** What a gate needs of the world. */
export interface GateOptions {
	readonly name: string;
	readonly enrollment: Enrollment;
	readonly time: VirtualTime;
	readonly chance: Chance;
	/** Milliseconds since 1970 at the beginning of the world. */
	readonly startMs: number;
	/** How far the gate's own clock is off. */
	readonly clockErrorMs: number;
	readonly disk: LedgerDisk;
	/** Lanes and how they are configured. */
	readonly lanes: readonly { readonly site: LaneSite; readonly config: LaneConfig }[];
	readonly transport: (process: VirtualProcess) => Transport;
	readonly onDiskStep: (write: string, step: string) => void;
	readonly tell: (what: string) => void;
}

/** What a running program of a gate is made of. */
export interface GateProgram {
	readonly name: string;
	readonly ledger: Ledger;
	readonly writer: LedgerWriter;
	readonly clock: AgentClock;
	readonly sync: LedgerSync;
	readonly client: SyncClient;
	readonly keyset: () => Keyset;
}

/** Nothing is logged: the story is told from outside. */
export const silent = pino({ level: 'silent' });

const version = '0.1.0';

/** Builds a gate whose program does not run yet. */
export function createGate(options: GateOptions): Gate {
	const { name, enrollment, time, disk, lanes } = options;
	const sites = lanes.map(({ site }) => site);
	let process: VirtualProcess | undefined;
	let program: GateProgram | undefined;
	return {
		name,
		device: enrollment.device,
		disk,
		sites,
		get isUp() {
			return process !== undefined;
		},
		start: () => {
			if (process !== undefined) return;
			const own = time.process(name);
			process = own;
			own.run(() => {
				void startProgram(options, own).then((started) => {
					program = started;
					for (const { site, config } of lanes) {
						site.attach({ process: own, lane: startGateLane(started, { site, config }) });
					}
					options.tell('its program runs');
				});
			});
		},
		crash: () => {
			process?.kill();
			process = undefined;
			program = undefined;
			for (const site of sites) site.attach(undefined);
		},
		status: () => program?.client.loop.status(),
		ledger: () => program?.ledger,
	};
}

async function startProgram(options: GateOptions, process: VirtualProcess): Promise<GateProgram> {
	const { name, enrollment, time, startMs, clockErrorMs, chance, disk } = options;
	const ledger = await disk.open({
		writeMs: () => [chance.between(0.5, 3), chance.between(0.05, 1)],
		onStep: options.onDiskStep,
	});
	const systemMs = () => Math.floor(startMs + time.nowMs() + clockErrorMs);
	const clock = createAgentClock(
		{ systemMs, monoMs: time.nowMs },
		{ floorsMs: [await ledger.latestMs(), startMs - 86_400_000], epoch: await ledger.clockEpoch(), onChange: () => {} },
	);
	const nowMs = () => clock.read().nowMs;
	const writer = createLedgerWriter({ onFailing: () => {}, onDropped: () => {} });
	await recordStart(name, ledger, nowMs);
	const keys = createKeys(enrollment.rootKey);
	const sync = await openLedgerSync({
		ledger,
		device: enrollment.device,
		nowMs,
		onRules: ({ manifest }) => void keys.take(manifest),
		onPolicyRefused: (evt) => options.tell(`a policy of ${evt} is refused`),
	});
	await keys.take(sync.rules().manifest);
	const client = await createClient(options, { sync, ledger, process, keys });
	const ended = new AbortController();
	void client.loop.run(ended.signal);
	return { name, ledger, writer, clock, sync, client, keyset: keys.keyset };
}

/** Writes that the program has started, and settles what a crash left open: nobody knows who passed. */
async function recordStart(agent: string, ledger: Ledger, nowMs: () => number): Promise<void> {
	const open = await ledger.openGrants();
	await ledger.record({ kind: 'started', agent, version, clock: 'trusted', clockEpoch: 1 }, nowMs());
	for (const { redemptionId, uses, reentry } of open) {
		const assumed = { outcome: 'taken_assumed', taken: reentry ? 1 : uses, back: false, counted: false } as const;
		await ledger.settle({ redemptionId, ...assumed }, nowMs());
	}
}

interface Keys {
	readonly keyset: () => Keyset;
	accepts(manifest: string): Promise<boolean>;
	take(manifest: string | undefined): Promise<void>;
}

const noKeys: Keyset = { version: 0, manifest: { version: 0, issuedAt: 0, keys: [], revoked: [] }, keys: new Map() };

function createKeys(rootKey: PublicJwk): Keys {
	let current: Keyset | undefined;
	return {
		keyset: () => current ?? noKeys,
		accepts: async (manifest) => {
			try {
				await advanceKeyset(current, await openManifest(manifest, rootKey));
				return true;
			} catch {
				return false;
			}
		},
		take: async (manifest) => {
			if (manifest !== undefined) current = await advanceKeyset(current, await openManifest(manifest, rootKey));
		},
	};
}

interface ClientParts {
	readonly sync: LedgerSync;
	readonly ledger: Ledger;
	readonly process: VirtualProcess;
	readonly keys: Keys;
}

function createClient(options: GateOptions, { sync, ledger, process, keys }: ClientParts): Promise<SyncClient> {
	const { enrollment, time, chance } = options;
	const { device, key, venue, server } = enrollment;
	const newNonce = () => {
		const bytes = Buffer.alloc(16);
		chance.fill(bytes);
		return bytes.toString('base64url');
	};
	return createSyncClient({
		...sync,
		transport: options.transport(process),
		clock: {
			monoMs: time.nowMs,
			sleep: (ms, signal) => sleep(time, ms, signal),
		},
		random: chance.next,
		newNonce,
		zlib: nodeZlib,
		server,
		claimBudgetMs: claimBudgetMs.wired,
		signAssertion: (challenge) => signDeviceAssertion({ device, venue, server, jti: newNonce(), ...challenge }, key),
		signSegment: (segment) => signSegment(segment, key),
		openTime: (jws, nonce) => openTime(jws, { nonce, keys: enrollment.timeKeys.map((each) => onlyPublic(each)) }),
		acceptKeys: keys.accepts,
		onTimeKeys: () => {},
		onFloor: () => {},
		onCommand: () => {},
		onConflicts: () => {},
		standing: () => ({ version, clockTrusted: true, lanes: [] }),
		onBehind: () => ledger.beginEpoch(),
		signal: new AbortController().signal,
	});
}

function sleep(time: VirtualTime, ms: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		if (signal?.aborted) return resolve();
		const wake = () => {
			later.cancel();
			signal?.removeEventListener('abort', wake);
			resolve();
		};
		const later = time.after(ms, wake);
		signal?.addEventListener('abort', wake, { once: true });
		return undefined;
	});
}

/** The authority as the lanes of a program see it. */
export function authorityOfProgram({ client, ledger }: GateProgram) {
	return authorityOf(client.claimer, () => ledger.epoch);
}
