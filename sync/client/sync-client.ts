import type { Zlib } from '../../gate-agent/core/status-list.ts';
import type { RequestOf } from '../protocol/paths.ts';
import type { Segment } from '../protocol/segments.ts';
import type { SignedTime } from '../protocol/signed-time.ts';
import type { TokenResponse } from '../protocol/token.ts';
import { type Claimer, createClaimer } from './claimer.ts';
import type { ClientClock } from './client-clock.ts';
import { createEpochFence } from './epoch-fence.ts';
import type { FeedCommand } from './feed-page.ts';
import { answerOpenClaims, type ClaimJournal } from './open-claims.ts';
import { createPuller } from './puller.ts';
import { createPusher, type Outbox, type PusherDeps } from './pusher.ts';
import type { Replica } from './replica.ts';
import { createSession, type Session, type SessionDeps } from './session.ts';
import { createSyncLoop, type SyncLoop, type SyncLoopDeps, type SyncStatus } from './sync-loop.ts';
import { createTimeSync, type TimeSync } from './time-sync.ts';
import type { Transport } from './transport.ts';

/** Everything that one device needs to follow one server. All of it is a parameter, so that a simulator can run it. */
export interface SyncClientDeps {
	readonly transport: Transport;
	readonly clock: ClientClock;
	/** Uniform in [0, 1). */
	readonly random: () => number;
	/** 128 random bits, base64url, from the runtime's generator for keys. */
	readonly newNonce: () => string;
	readonly zlib: Zlib;
	/** The server of the enrollment. */
	readonly server: string;
	readonly outbox: Outbox;
	readonly journal: ClaimJournal;
	readonly replica: Replica;
	/** How long a lane waits for the authority: `claimBudgetMs`. */
	readonly claimBudgetMs: number;
	readonly signAssertion: SessionDeps['sign'];
	readonly signSegment: (segment: Segment) => Promise<string>;
	readonly openTime: (jws: string, nonce: string) => Promise<SignedTime | undefined>;
	readonly acceptKeys: (manifest: string) => Promise<boolean>;
	readonly onTimeKeys: (keys: TokenResponse['timeKeys']) => void;
	readonly onFloor: (serverMs: number) => void;
	readonly onCommand: (command: FeedCommand) => void;
	readonly onConfig?: () => void;
	readonly onConflicts: PusherDeps['onConflicts'];
	/** What only the device knows of itself. */
	readonly standing: () => Pick<RequestOf<'report'>, 'version' | 'clockTrusted' | 'clockOffsetMs' | 'config' | 'lanes'>;
	/** The server knows more of this journal than it has: resolves once a new device epoch has begun. */
	readonly onBehind: () => Promise<void>;
	/** Ends everything. */
	readonly signal: AbortSignal;
}

/** The device's side of the sync. */
export interface SyncClient {
	readonly claimer: Claimer;
	readonly loop: SyncLoop;
	readonly time: TimeSync;
	/** For calls that are not the sync's own, such as those of staff. */
	readonly session: Session;
}

/** Joins the parts. It reads the replica's cursor first, so that an epoch seen before a restart still counts. */
export async function createSyncClient(deps: SyncClientDeps): Promise<SyncClient> {
	const { transport, clock, random, outbox, replica, signal } = deps;
	const session = createSession({ ...deps, sign: deps.signAssertion });
	const time = createTimeSync({ ...deps, open: deps.openTime });
	const fence = createEpochFence((await replica.cursor())?.epoch ?? 0, () => loop.pullNow());
	const openClaims = (each: AbortSignal) =>
		answerOpenClaims(
			{
				session,
				journal: deps.journal,
				fence,
				isInFlight: (redemption) => claimer.isInFlight(redemption),
				onAnswered: () => loop.rowsWritten(),
			},
			each,
		);
	const probe = async (each: AbortSignal) => (await openClaims(each)).kind === 'answered';
	const claimer = createClaimer({
		...{ session, clock, random, fence, budgetMs: deps.claimBudgetMs, probe, signal },
		cursor: () => replica.cursor(),
	});
	const puller = createPuller({
		...deps,
		session,
		fence,
		own: () => ({ device: outbox.device, deviceEpoch: outbox.epoch }),
		serverNowMs: () => {
			const sample = time.offset();
			return sample === undefined ? undefined : clock.monoMs() + sample.offsetMs;
		},
		onCurrent: (cursor) => loop.current(cursor),
	});
	const pusher = createPusher({ session, outbox, sign: deps.signSegment, onConflicts: deps.onConflicts });
	const authority = () => claimer.authority();
	const streams = transport.open !== undefined;
	const report: SyncLoopDeps['report'] = async (status, signal) => {
		// The status has read the cursor; rows that are written after that are none of what it did not know.
		const journal = { epoch: outbox.epoch, head: await outbox.head() };
		const request = { ...reportOf(status), journal, ...deps.standing() };
		const outcome = await session.call('report', request, { timeoutMs: reportTimeoutMs, signal });
		return outcome.kind === 'ok' ? { kind: 'known', ...outcome.body } : { kind: 'unknown' };
	};
	const loop: SyncLoop = createSyncLoop({
		clock,
		random,
		time,
		puller,
		pusher,
		outbox,
		openClaims,
		report,
		onBehind: deps.onBehind,
		authority,
		streams,
	});
	return { claimer, loop, time, session };
}

const reportTimeoutMs = 5_000;

function reportOf({ cursor, waiting, listAgeMs, roundTripMs }: SyncStatus) {
	return {
		...(cursor !== undefined && { cursor }),
		waiting,
		...(listAgeMs !== undefined && { listAgeMs: Math.round(listAgeMs) }),
		...(roundTripMs !== undefined && { roundTripMs }),
	};
}
