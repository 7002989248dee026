import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { Cursor } from '../protocol/cursor.ts';
import { backoff } from './backoff.ts';
import type { ClientClock } from './client-clock.ts';
import type { ClaimsAnswered } from './open-claims.ts';
import type { Pulled, Puller } from './puller.ts';
import type { Outbox, Pushed, Pusher } from './pusher.ts';
import type { TimeSync } from './time-sync.ts';
import { createWake } from './wake.ts';

/** The parts that a sync loop drives. */
export interface SyncLoopDeps {
	readonly clock: ClientClock;
	readonly random: () => number;
	readonly time: TimeSync;
	readonly puller: Puller;
	readonly pusher: Pusher;
	readonly outbox: Outbox;
	readonly openClaims: (signal: AbortSignal) => Promise<ClaimsAnswered>;
	/** Tells the server how the device stands, and learns how far the server has its journal. */
	readonly report: (status: SyncStatus, signal: AbortSignal) => Promise<Reported>;
	/** The server knows rows of this epoch that the journal does not have: resolves once a new epoch has begun. */
	readonly onBehind: () => Promise<void>;
	readonly authority: () => 'reachable' | 'out_of_reach';
	/** Whether the transport can read answers as they come. */
	readonly streams: boolean;
}

/** How a device stands with its venue: what a screen, a page and a metric show. */
export interface SyncStatus {
	/** `online`: the feed is followed. `connecting`: the server's time is asked for, which a portal cannot give. */
	readonly state: 'offline' | 'connecting' | 'online';
	/** Why it is not online: the kind of failure, or the code of the server's refusal. */
	readonly problem?: string;
	readonly cursor?: Cursor;
	/** Milliseconds since the server last confirmed that the lists are current; absent before the first time. */
	readonly listAgeMs?: number;
	/** Journal rows that the server does not have. */
	readonly waiting: number;
	/** How the server takes the journal. `behind`: it knows more of this device than the device does. */
	readonly journal: 'accepted' | 'quarantined' | 'behind' | 'stuck';
	/** Claims that were granted before the disk was lost; staff release them. */
	readonly lostClaims: number;
	readonly authority: 'reachable' | 'out_of_reach';
	/** Server time minus the monotonic clock, and how sure that is. */
	readonly clockOffsetMs?: number;
	readonly roundTripMs?: number;
}

/** What a report brought. */
export type Reported =
	| {
			readonly kind: 'known';
			readonly status: 'active' | 'quarantined';
			readonly journal?: { readonly epoch: string; readonly through: number };
	  }
	| { readonly kind: 'unknown' };

/** Keeps a device in step with its venue. */
export interface SyncLoop {
	/** Runs until the signal aborts. Push, pull and time each go their own way: none waits for another. */
	run(signal: AbortSignal): Promise<void>;
	status(): Promise<SyncStatus>;
	/** The journal has new rows. */
	rowsWritten(): void;
	/** The feed has something that cannot wait, such as a new epoch. */
	pullNow(): void;
	/** Something changed that a report should tell soon. */
	reportSoon(): void;
	/** The replica was confirmed to be current (`PullerDeps.onCurrent`). */
	current(cursor: Cursor): void;
}

/** How long the server may keep a poll open: less than the shortest idle time of common proxies. */
export const pollWaitMs = 20_000;
/** How long the feed is polled before a stream is tried again behind a proxy that buffers. */
const pollInsteadMs = 600_000;
/** Polls that come back at once without news are not repeated faster than this. */
const pollPauseMs = 1_000;
const timeEveryMs = 600_000;
const reportEveryMs = 30_000;
/** Changes within this time make one report. */
const reportPauseMs = 1_000;
const pushAgainMs = 60_000;
const retryMs = { firstMs: 500, maxMs: 60_000 } as const;

/** Makes a loop. Nothing happens before `run`. */
export function createSyncLoop(deps: SyncLoopDeps): SyncLoop {
	return new Loop(deps);
}

class Loop implements SyncLoop {
	readonly #deps: SyncLoopDeps;
	readonly #push;
	readonly #pull;
	readonly #report;
	#state: SyncStatus['state'] = 'offline';
	#problem: string | undefined;
	#cursor: Cursor | undefined;
	#currentMs: number | undefined;
	#pollUntilMs = Number.NEGATIVE_INFINITY;
	#journal: SyncStatus['journal'] = 'accepted';
	#lostClaims = 0;
	#isQuarantined = false;
	/** The journal that is to be left and whose last rows the server has. */
	#toldOf: string | undefined;

	constructor(deps: SyncLoopDeps) {
		this.#deps = deps;
		this.#push = createWake(deps.clock);
		this.#pull = createWake(deps.clock);
		this.#report = createWake(deps.clock);
	}

	async run(signal: AbortSignal): Promise<void> {
		await Promise.all([
			this.#pullLoop(signal),
			this.#pushLoop(signal),
			this.#timeLoop(signal),
			this.#reportLoop(signal),
		]);
		this.#state = 'offline';
	}

	async status(): Promise<SyncStatus> {
		const { clock, outbox, authority, time } = this.#deps;
		const sample = time.offset();
		return {
			state: this.#state,
			...(this.#problem !== undefined && { problem: this.#problem }),
			...(this.#cursor !== undefined && { cursor: this.#cursor }),
			...(this.#currentMs !== undefined && { listAgeMs: clock.monoMs() - this.#currentMs }),
			waiting: Math.max(0, (await outbox.head()) - (await outbox.acceptedThrough())),
			journal: this.#isQuarantined ? 'quarantined' : this.#journal,
			lostClaims: this.#lostClaims,
			authority: authority(),
			...(sample !== undefined && { clockOffsetMs: sample.offsetMs, roundTripMs: sample.roundTripMs }),
		};
	}

	rowsWritten(): void {
		this.#push.ring();
	}

	reportSoon(): void {
		this.#report.ring();
	}

	pullNow(): void {
		this.#pull.ring();
	}

	current(cursor: Cursor): void {
		this.#cursor = cursor;
		this.#currentMs = this.#deps.clock.monoMs();
		this.#state = 'online';
		this.#problem = undefined;
	}

	async #pullLoop(signal: AbortSignal): Promise<void> {
		let waits = this.#waits();
		while (!signal.aborted) {
			const { isGood, retryAfterMs } = await this.#pullRound(signal);
			if (isGood) waits = this.#waits();
			else if (!signal.aborted) await this.#pull.wait(Math.max(waits.next().value, retryAfterMs), signal);
		}
	}

	/** A ledger that fails is one more reason not to be current, and is tried again. */
	async #pullRound(signal: AbortSignal): Promise<{ isGood: boolean; retryAfterMs: number }> {
		const isBad = { isGood: false, retryAfterMs: 0 };
		try {
			const isUp = this.#state === 'online' || (await this.#connect(signal));
			return isUp ? await this.#pullOnce(signal) : isBad;
		} catch (error) {
			this.#lost(failureOf(error));
			return isBad;
		}
	}

	/**
	 * Online is what gives our nonce back. Before anything else the server says how far it has the journal: an old disk must
	 * not admit on, and must give no claim back, because it does not know who entered. Then come the open claims, so that no
	 * visitor's use stays held.
	 */
	async #connect(signal: AbortSignal): Promise<boolean> {
		this.#state = 'connecting';
		const time = await this.#deps.time.measure(signal);
		if (time.kind !== 'ok') return this.#lost(time);
		await this.#standBefore(signal);
		this.#push.ring();
		return true;
	}

	async #pullOnce(signal: AbortSignal): Promise<{ isGood: boolean; retryAfterMs: number }> {
		const { clock, puller } = this.#deps;
		// The first pull after a loss waits for nothing: what was missed is known before the next visitor.
		const isFirst = this.#state !== 'online';
		const startedMs = clock.monoMs();
		if (!isFirst && this.#deps.streams && startedMs >= this.#pollUntilMs) return this.#follow(signal);
		const pulled = await puller.pull(isFirst ? 0 : pollWaitMs, signal);
		const isGood = pulled.kind === 'applied' || pulled.kind === 'current' || pulled.kind === 'loaded';
		if (!isGood) {
			this.#lost(pulled);
			return { isGood, retryAfterMs: retryAfterOf(pulled) };
		}
		const tookMs = clock.monoMs() - startedMs;
		if (!isFirst && pulled.kind === 'current' && tookMs < pollPauseMs) await this.#pull.wait(pollPauseMs, signal);
		return { isGood, retryAfterMs: 0 };
	}

	async #follow(signal: AbortSignal): Promise<{ isGood: boolean; retryAfterMs: number }> {
		const before = this.#currentMs;
		const end = await this.#deps.puller.follow(signal);
		if (end.kind === 'buffered' || end.kind === 'unopened') {
			this.#pollUntilMs = this.#deps.clock.monoMs() + (end.kind === 'buffered' ? pollInsteadMs : pollWaitMs);
			return { isGood: true, retryAfterMs: 0 };
		}
		if (end.kind === 'loaded') return { isGood: true, retryAfterMs: 0 };
		this.#lost(end);
		// A stream that brought something and then broke is tried again soon, but never at once by all gates together.
		if (this.#currentMs !== before) await this.#deps.clock.sleep(this.#waits().next().value, signal);
		return { isGood: this.#currentMs !== before, retryAfterMs: 0 };
	}

	#lost(end: { readonly kind: string; readonly code?: string }): false {
		this.#state = 'offline';
		this.#problem = end.code ?? end.kind;
		return false;
	}

	async #pushLoop(signal: AbortSignal): Promise<void> {
		let waits = this.#waits();
		while (!signal.aborted) {
			const pushed = await this.#pushOnce(signal);
			if (isJournalAnswer(pushed)) {
				waits = this.#waits();
				this.#journal = pushed.kind === 'idle' || pushed.kind === 'progress' ? 'accepted' : pushed.kind;
				if (pushed.kind === 'progress') continue;

				if (pushed.kind === 'idle') await this.#push.wait(pushAgainMs, signal);
				else if (pushed.kind === 'behind') await this.#deps.clock.sleep(waits.next().value, signal);
				else await this.#deps.clock.sleep(pushAgainMs, signal);
			} else {
				// New rows do not shorten this wait, or a busy lane would knock at a dead server with every visitor.
				const waitMs = Math.max(waits.next().value, retryAfterOf(pushed));
				if (!signal.aborted) await this.#deps.clock.sleep(waitMs, signal);
			}
		}
	}

	async #reportLoop(signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			await this.#report.wait(reportEveryMs, signal);
			if (!signal.aborted && this.#state === 'online') await this.#standBefore(signal).catch(failureOf);
			await this.#deps.clock.sleep(reportPauseMs, signal);
		}
	}

	/** Reports and answers for open claims, also those that reached the authority long after their time. */
	async #standBefore(signal: AbortSignal): Promise<void> {
		if (!(await this.#reportOnce(signal))) return;
		const answered = await this.#deps.openClaims(signal);
		if (answered.kind === 'answered') this.#lostClaims = answered.lost;
	}

	/** Whether the server has said how far it has the journal, and the journal is not behind that. */
	async #reportOnce(signal: AbortSignal): Promise<boolean> {
		const { report, outbox } = this.#deps;
		const accepted = await outbox.acceptedThrough();
		const known = await report(await this.status(), signal);
		if (known.kind !== 'known') return false;
		this.#isQuarantined = known.status === 'quarantined';
		const { epoch } = outbox;
		const own = known.journal?.epoch === epoch ? known.journal : { through: 0 };
		if (!(await this.#continues(own))) {
			await this.#leave(epoch, signal);
			return outbox.epoch !== epoch;
		}
		if (own.through < accepted) await this.#pushAgain(own.through);
		return true;
	}

	/** Whether the journal goes on from what the server has: an old disk ends before that, or has other rows there. */
	async #continues({ through, hash }: { readonly through: number; readonly hash?: string }): Promise<boolean> {
		const { outbox } = this.#deps;
		if (through > (await outbox.head())) return false;
		return through === 0 || hash === undefined || (await outbox.read(through, 1)).prevHash === hash;
	}

	/** A server that was restored has less than it once acknowledged, and a quiet lane may write nothing for hours. */
	async #pushAgain(through: number): Promise<void> {
		await this.#deps.outbox.rememberAccepted(through);
		this.#push.ring();
	}

	/** Rows that an old disk wrote since it came back contradict the journal; the server keeps them on a branch. */
	async #leave(epoch: string, signal: AbortSignal): Promise<void> {
		const { outbox, onBehind } = this.#deps;
		if (this.#toldOf !== epoch && (await outbox.acceptedThrough()) < (await outbox.head())) {
			// Nothing is left behind before the server has it.
			if (!isJournalAnswer(await this.#pushOnce(signal))) return;
			this.#toldOf = epoch;
		}
		if (outbox.epoch === epoch) await onBehind();
	}

	async #pushOnce(signal: AbortSignal): Promise<Pushed | LedgerFailure> {
		try {
			const pushed = await this.#deps.pusher.push(signal);
			if (pushed.kind === 'behind' && pushed.epoch === this.#deps.outbox.epoch) await this.#deps.onBehind();
			return pushed;
		} catch (error) {
			return failureOf(error);
		}
	}

	async #timeLoop(signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			await this.#deps.clock.sleep(timeEveryMs * (0.5 + this.#deps.random() / 2), signal);
			if (!signal.aborted && this.#state === 'online') await this.#deps.time.measure(signal);
		}
	}

	#waits(): Generator<number, never> {
		return backoff({ ...retryMs, random: this.#deps.random });
	}
}

/** The ledger could not be read or written: an operating error, not one of the network. */
interface LedgerFailure {
	readonly kind: 'ledger';
	readonly code: string;
}

function failureOf(error: unknown): LedgerFailure {
	if (!(error instanceof StilewardError)) throw error;
	return { kind: 'ledger', code: error.code };
}

function isJournalAnswer(pushed: Pushed | LedgerFailure): pushed is Exclude<
	Pushed,
	{ kind: 'offline' | 'refused' | 'timeout' }
> & {
	kind: 'idle' | 'progress' | SyncStatus['journal'];
} {
	return ['idle', 'progress', 'stuck', 'quarantined', 'behind'].includes(pushed.kind);
}

function retryAfterOf(outcome: Pulled | Pushed | LedgerFailure): number {
	return outcome.kind === 'refused' ? (outcome.retryAfterMs ?? 0) : 0;
}
