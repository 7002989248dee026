import { assert } from '../../gate-agent/core/errors.ts';
import { type Claim, type ClaimAnswer, type ClaimsResponse, claimsPerRequestMax } from '../protocol/claims.ts';
import type { Cursor } from '../protocol/cursor.ts';
import { isRequest } from '../protocol/paths.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import type { Outcome } from './call.ts';
import { type ClientClock, withDeadline } from './client-clock.ts';
import type { EpochFence } from './epoch-fence.ts';
import type { Session } from './session.ts';

/** How long a lane waits for the authority: over a cable, and over Wi-Fi. */
export const claimBudgetMs = { wired: 150, wifi: 600 } as const;

/** Claims of one device whose journal row is not written yet. */
export const claimsInFlightMax = 1_024;

/** What a claim brought. */
export type ClaimResult =
	| { readonly kind: 'granted'; readonly epoch: number }
	| { readonly kind: 'denied'; readonly answer: ClaimAnswer & { readonly result: 'denied' }; readonly epoch: number }
	/** Nobody could be asked in time: the class policy decides. The authority may have granted it all the same. */
	| { readonly kind: 'out_of_reach'; readonly why: 'timeout' | 'offline' | 'refused' | 'resting' | 'too_many' }
	/** A server was reached that may not grant: it is not the authority, or an older one. */
	| { readonly kind: 'no_authority'; readonly why: 'no_authority' | 'stale_authority' | 'older_epoch' };

/** What asking the authority needs. */
export interface ClaimerDeps {
	readonly session: Session;
	readonly clock: ClientClock;
	readonly random: () => number;
	readonly fence: EpochFence;
	readonly budgetMs: number;
	/** What this device has applied: an authority that has less was restored, and does not grant. */
	readonly cursor: () => Promise<Cursor | undefined>;
	/** Answers the open claims: it proves that the authority is there, and gives back what timed-out claims hold. */
	readonly probe: (signal: AbortSignal) => Promise<boolean>;
	readonly signal: AbortSignal;
}

/** Asks the authority before a gate opens. */
export interface Claimer {
	/**
	 * Resolves within the budget, never rejects. The same redemption id may be asked again. A claim stays in flight
	 * until `done`, so that it is not given back while its row is being written.
	 */
	claim(claim: Claim): Promise<ClaimResult>;
	/** The journal has said what became of it, or nothing will come of it. */
	done(redemption: string): void;
	isInFlight(redemption: string): boolean;
	authority(): 'reachable' | 'out_of_reach';
}

interface Waiting {
	readonly claim: Claim;
	readonly answer: (result: ClaimResult) => void;
}

/** Makes a claimer. */
export function createClaimer(deps: ClaimerDeps): Claimer {
	const breaker = createBreaker(deps);
	const inFlight = new Set<string>();
	let waiting: Waiting[] = [];

	/** Claims that lanes make in one tick travel together; nobody waits for the next lane to come. */
	async function flush(): Promise<void> {
		await Promise.resolve();
		const all = waiting;
		waiting = [];
		for (let at = 0; at < all.length; at += claimsPerRequestMax) {
			void ask(deps, breaker, all.slice(at, at + claimsPerRequestMax));
		}
	}

	return {
		claim: (claim) => {
			assert(isRequest('claims', { claims: [claim] }), 'a claim must keep the schema, or it spoils its whole batch');
			if (inFlight.size >= claimsInFlightMax && !inFlight.has(claim.redemption)) {
				return Promise.resolve({ kind: 'out_of_reach', why: 'too_many' });
			}
			inFlight.add(claim.redemption);
			return new Promise((answer) => {
				waiting.push({ claim, answer });
				if (waiting.length === 1) void flush();
			});
		},
		done: (redemption) => {
			inFlight.delete(redemption);
		},
		isInFlight: (redemption) => inFlight.has(redemption),
		authority: () => (breaker.isOpen() ? 'out_of_reach' : 'reachable'),
	};
}

async function ask(deps: ClaimerDeps, breaker: Breaker, batch: readonly Waiting[]): Promise<void> {
	if (!breaker.pass()) {
		for (const { answer } of batch) answer({ kind: 'out_of_reach', why: 'resting' });
		return;
	}
	const outcome = await askInTime(deps, batch);
	const isAnswered = outcome.kind === 'ok' && deps.fence.see(outcome.body.epoch) !== 'older';
	if (isAnswered) breaker.succeeded();
	else breaker.failed();
	for (const { claim, answer } of batch) answer(resultOf(claim, outcome, isAnswered));
}

async function askInTime(deps: ClaimerDeps, batch: readonly Waiting[]): Promise<Outcome<ClaimsResponse>> {
	const { session, clock, budgetMs, signal, fence } = deps;
	const epoch = fence.newest();
	const claims = batch.map(({ claim }) => claim);
	const ended = await withDeadline(clock, { timeoutMs: budgetMs, signal }, async (inner) => {
		const limits = { timeoutMs: budgetMs, signal: inner };
		const cursor = await deps.cursor();
		const request = { claims, ...(epoch > 0 && { epoch }), ...(cursor && { cursor }) };
		const outcome = await session.call('claims', request, limits);
		// A kept connection that the server has closed breaks at its first use. The same ids again are the same claims.
		return outcome.kind === 'offline' && !inner.aborted ? session.call('claims', request, limits) : outcome;
	});
	return ended.kind === 'done' ? ended.value : { kind: ended.kind };
}

function resultOf(claim: Claim, outcome: Outcome<ClaimsResponse>, isAnswered: boolean): ClaimResult {
	switch (outcome.kind) {
		case 'ok':
			return isAnswered ? answerFor(claim, outcome.body) : { kind: 'no_authority', why: 'older_epoch' };
		case 'refused':
			return outcome.code === 'no_authority' || outcome.code === 'stale_authority'
				? { kind: 'no_authority', why: outcome.code }
				: { kind: 'out_of_reach', why: 'refused' };
		case 'timeout':
			return { kind: 'out_of_reach', why: 'timeout' };
		case 'offline':
		case 'aborted':
		case 'captive_portal':
		case 'bad_answer':
			return { kind: 'out_of_reach', why: 'offline' };
	}
}

/** Answers are found by their id: an answer for somebody else's claim opens no gate. */
function answerFor({ redemption }: Claim, { epoch, answers }: ClaimsResponse): ClaimResult {
	const answer = answers.find((each) => each.redemption === redemption);
	if (answer === undefined) return { kind: 'out_of_reach', why: 'refused' };
	return answer.result === 'granted' ? { kind: 'granted', epoch } : { kind: 'denied', answer, epoch };
}
