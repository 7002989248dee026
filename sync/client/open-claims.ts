import type { Failure } from './call.ts';
import type { EpochFence } from './epoch-fence.ts';
import type { Session } from './session.ts';

/** What the journal says to a claim that the authority holds open for this device. */
export interface ClaimJournal {
	/**
	 * Answers one claim in one transaction, so that no redemption slips in between: `found` where a row of this journal
	 * names it, `released` where none does and a `released` row was written now, `lost` where the claim was made for
	 * another journal. A lost one stays held: the disk that knew whether somebody entered is gone, and staff decide.
	 */
	answer(claim: { readonly redemption: string; readonly journal: string }): Promise<'found' | 'released' | 'lost'>;
}

/** What answering open claims needs. */
export interface OpenClaimsDeps {
	readonly session: Session;
	readonly journal: ClaimJournal;
	readonly fence: EpochFence;
	/** Claims whose row is being written at this moment are left alone. */
	readonly isInFlight: (redemption: string) => boolean;
	/** Told where rows must be pushed for the answers to arrive. */
	readonly onAnswered: () => void;
}

/** How a round ended. */
export type ClaimsAnswered =
	| { readonly kind: 'answered'; readonly found: number; readonly released: number; readonly lost: number }
	| { readonly kind: 'older_epoch' }
	| Failure;

const openClaimsTimeoutMs = 5_000;

/** Asks for this device's open claims and answers each from the journal. The answers travel as rows, with the push. */
export async function answerOpenClaims(deps: OpenClaimsDeps, signal?: AbortSignal): Promise<ClaimsAnswered> {
	const outcome = await deps.session.call('openClaims', {}, { timeoutMs: openClaimsTimeoutMs, signal });
	if (outcome.kind !== 'ok') return outcome;
	if (deps.fence.see(outcome.body.epoch) === 'older') return { kind: 'older_epoch' };
	const answers = { found: 0, released: 0, lost: 0 };
	for (const claim of outcome.body.claims) {
		if (!deps.isInFlight(claim.redemption)) answers[await deps.journal.answer(claim)] += 1;
	}
	if (answers.found + answers.released > 0) deps.onAnswered();
	return { kind: 'answered', ...answers };
}
