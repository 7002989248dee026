import { splitTicketId } from '../../../gate-agent/core/ledger-rules.ts';
import type { JournalRow } from '../../../gate-agent/core/redemption.ts';
import type { Claim, ClaimAnswer } from '../../protocol/claims.ts';
import type { AdmissionChange } from '../../protocol/feed.ts';
import type { ResponseOf } from '../../protocol/paths.ts';

type OpenClaim = ResponseOf<'openClaims'>['claims'][number];

/** The rights of one authority: who holds which use. In memory, without a past. */
export interface FakeRights {
	claim(device: string, claim: Claim): ClaimAnswer;
	/** What a journal row changes; undefined where it changes no count. */
	settle(device: string, row: JournalRow): AdmissionChange | undefined;
	openClaims(device: string): readonly OpenClaim[];
	/** Grants by the authority, by `evt/idx allowance`: at most as many as uses, or the law is broken. */
	readonly grants: ReadonlyMap<string, number>;
	count(evt: string, idx: number, allowance: string): { readonly used: number; readonly held: number };
}

interface Right {
	readonly use: number;
	used: number;
	held: number;
}

interface Held {
	readonly device: string;
	readonly claim: Claim;
	readonly answer: ClaimAnswer;
	readonly atMs: number;
	/** Until a row of the device's journal says what became of it. */
	open: boolean;
	/** Uses that it still holds. */
	held: number;
}

/** What rights ask of their venue. */
export interface FakeRightsOptions {
	readonly isRevoked: (evt: string, idx: number) => boolean;
	/** The server's time, milliseconds since 1970. */
	readonly nowMs: () => number;
}

/** Makes rights that nobody has used. */
export function createFakeRights(options: FakeRightsOptions): FakeRights {
	return new Rights(options);
}

class Rights implements FakeRights {
	readonly grants = new Map<string, number>();
	readonly #options: FakeRightsOptions;
	readonly #rights = new Map<string, Right>();
	readonly #claims = new Map<string, Held>();

	constructor(options: FakeRightsOptions) {
		this.#options = options;
	}

	claim(device: string, claim: Claim): ClaimAnswer {
		const known = this.#claims.get(claim.redemption);
		if (known !== undefined) return known.answer;
		const answer = this.#decide(claim);
		const isOpen = answer.result === 'granted';
		const held = isOpen ? claim.uses : 0;
		this.#claims.set(claim.redemption, { device, claim, answer, atMs: this.#options.nowMs(), open: isOpen, held });
		return answer;
	}

	openClaims(device: string): readonly OpenClaim[] {
		return [...this.#claims.values()]
			.filter((each) => each.open && each.device === device)
			.map(({ claim, atMs }) => ({ redemption: claim.redemption, journal: claim.journal, atMs }));
	}

	count(evt: string, idx: number, allowance: string): { readonly used: number; readonly held: number } {
		return this.#rights.get(keyOf({ evt, idx, allowance })) ?? { used: 0, held: 0 };
	}

	settle(device: string, row: JournalRow): AdmissionChange | undefined {
		if (row.kind !== 'granted' && row.kind !== 'settled' && row.kind !== 'released') return undefined;
		const held = this.#claims.get(row.redemption) ?? this.#unasked(device, row);
		if (held === undefined) return undefined;
		const right = this.#rightOf(held.claim);
		held.open = false;
		if (row.kind === 'granted') {
			// Admitted without asking, or against the answer: it counts all the same, and may count too many.
			right.held += row.uses - held.held;
			held.held = row.uses;
		} else {
			right.held -= held.held;
			if (row.kind === 'settled') right.used += held.held - row.back;
			held.held = 0;
		}
		const { evt, idx, allowance, use, lane, redemption } = held.claim;
		const { seq, epoch: deviceEpoch, at: atMs } = row;
		return {
			evt,
			idx,
			allowance,
			use,
			used: right.used,
			held: right.held,
			redemption,
			device,
			deviceEpoch,
			seq,
			lane,
			atMs,
		};
	}

	#decide(claim: Claim): ClaimAnswer {
		const { redemption, evt, idx, uses } = claim;
		const right = this.#rightOf(claim);
		if (this.#options.isRevoked(evt, idx)) return { redemption, result: 'denied', reason: 'revoked' };
		if (right.used + right.held + uses > right.use) {
			const reason = right.held > 0 ? 'in_progress' : right.use === 1 ? 'already_redeemed' : 'no_uses_left';
			return { redemption, result: 'denied', reason };
		}
		right.held += uses;
		this.grants.set(keyOf(claim), (this.grants.get(keyOf(claim)) ?? 0) + uses);
		return { redemption, result: 'granted' };
	}

	/** A row of a redemption that no claim of this authority stands for. */
	#unasked(device: string, row: JournalRow): Held | undefined {
		if (row.kind !== 'granted') return undefined;
		const { redemption, allowance, cls, uses, use = 1, lane, at: atMs, epoch: journal } = row;
		const { evt, idx } = splitTicketId(row.ticket);
		const claim: Claim = { redemption, journal, evt, idx, allowance, cls, use, uses, lane, atMs };
		const held: Held = { device, claim, answer: { redemption, result: 'granted' }, atMs, open: false, held: 0 };
		this.#claims.set(redemption, held);
		return held;
	}

	#rightOf(claim: Claim): Right {
		const right = this.#rights.get(keyOf(claim)) ?? { use: claim.use, used: 0, held: 0 };
		this.#rights.set(keyOf(claim), right);
		return right;
	}
}

function keyOf({ evt, idx, allowance }: Pick<Claim, 'evt' | 'idx' | 'allowance'>): string {
	return `${evt}/${idx} ${allowance}`;
}
