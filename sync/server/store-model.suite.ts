import fc from 'fast-check';
import { expect } from 'vitest';
import type { Store } from './store.ts';
import {
	claimOf,
	type DeviceJournal,
	evt,
	journalOf,
	newRedemption,
	nowMs,
	prepareVenue,
} from './testing/device-journal.ts';

/** Tickets of the model: a single one, a pair and a group. */
const usesOf = [1, 2, 5];

/** One step of a history: device and ticket by number. */
type Step =
	| { readonly kind: 'claim'; readonly device: number; readonly idx: number; readonly uses: number }
	| { readonly kind: 'admit'; readonly device: number; readonly idx: number; readonly uses: number }
	/** Takes up the oldest claim that was granted, or lets it go. */
	| { readonly kind: 'use' | 'release'; readonly device: number }
	| { readonly kind: 'settle'; readonly device: number; readonly taken: number; readonly back: number }
	/** A segment that begins up to `again` rows before the news, and may be sent twice. */
	| { readonly kind: 'push'; readonly device: number; readonly again: number; readonly twice: boolean }
	| { readonly kind: 'refund'; readonly idx: number };

const device = fc.nat(1);
const idx = fc.nat(usesOf.length - 1);
const uses = fc.integer({ min: 1, max: 3 });
const count = fc.nat(3);

const anyStep: fc.Arbitrary<Step> = fc.oneof(
	fc.record({ kind: fc.constant('claim' as const), device, idx, uses }),
	fc.record({ kind: fc.constant('admit' as const), device, idx, uses }),
	fc.record({ kind: fc.constantFrom('use' as const, 'release' as const), device }),
	fc.record({ kind: fc.constant('settle' as const), device, taken: count, back: count }),
	fc.record({ kind: fc.constant('push' as const), device, again: fc.nat(6), twice: fc.boolean() }),
	fc.record({ kind: fc.constant('refund' as const), idx }),
);

interface Held {
	readonly redemption: string;
	readonly idx: number;
	readonly uses: number;
}

/** A device and its effects: those that it has journalled and not pushed act on the model when they are. */
interface ModelDevice {
	readonly journal: DeviceJournal;
	readonly claimed: Held[];
	readonly open: Held[];
	waiting: (() => void)[];
	pushed: number;
}

interface ModelRight {
	used: number;
	taken: number;
	revoked: boolean;
	/** Uses held, by redemption. */
	readonly held: Map<string, number>;
	/** Whether somebody entered after the refund. */
	refunded: boolean;
}

/** Plays a random history on a store and on a few lines of arithmetic, and compares them at the end of each push. */
export async function expectSameAsModel(store: Store, venueOf: () => string): Promise<void> {
	await fc.assert(
		fc.asyncProperty(fc.array(anyStep, { minLength: 5, maxLength: 60 }), async (steps) => {
			const model = await Model.begin(store, venueOf());
			for (const step of steps) await model.play(step);
			for (const number of [0, 1]) await model.play({ kind: 'push', device: number, again: 0, twice: false });
			await model.compare();
		}),
		{ numRuns: 25 },
	);
}

class Model {
	readonly #store: Store;
	readonly #venue: string;
	readonly #devices: readonly ModelDevice[];
	readonly #rights: readonly ModelRight[];

	private constructor(store: Store, venue: string, devices: readonly string[]) {
		this.#store = store;
		this.#venue = venue;
		this.#devices = devices.map((id) => {
			return { journal: journalOf(venue, id), claimed: [], open: [], waiting: [], pushed: 0 };
		});
		this.#rights = usesOf.map(() => ({ used: 0, taken: 0, revoked: false, held: new Map(), refunded: false }));
	}

	static async begin(store: Store, venue: string): Promise<Model> {
		const model = new Model(store, venue, await prepareVenue(store, venue, ['one', 'two']));
		for (const [number, use] of usesOf.entries()) {
			const order = { order: `o-${number}`, cls: 'adult', count: 1, use, claims: {}, atMs: nowMs };
			await store.issueOrder({ venue, evt, ...order });
		}
		return model;
	}

	async play(step: Step): Promise<void> {
		if (step.kind === 'refund') return this.#refund(step.idx);
		const player = this.#devices[step.device];
		if (player === undefined) return;
		if (step.kind === 'claim') await this.#claim(player, step);
		else if (step.kind === 'push') await this.#push(player, step);
		else if (step.kind === 'admit')
			this.#grant(player, { redemption: newRedemption(), idx: step.idx, uses: step.uses });
		else if (step.kind === 'settle') this.#settle(player, step);
		else this.#decideClaim(player, step.kind);
	}

	#right(number: number): ModelRight {
		const right = this.#rights[number];
		if (right === undefined) throw new Error('the model has such a ticket');
		return right;
	}

	async #claim({ journal, claimed }: ModelDevice, step: Step & { kind: 'claim' }): Promise<void> {
		const right = this.#right(step.idx);
		const claim = claimOf(this.#venue, journal.device, { idx: step.idx, uses: step.uses, use: 99 });
		const [answer] = await this.#store.claim([claim]);
		const free = (usesOf[step.idx] ?? 0) - right.used - sum(right.held.values());
		expect(answer?.result).toBe(!right.revoked && step.uses <= free ? 'granted' : 'denied');
		expect(await this.#store.claim([claim])).toEqual([answer]);
		if (answer?.result !== 'granted') return;
		const { redemption } = claim.claim;
		right.held.set(redemption, step.uses);
		claimed.push({ redemption, idx: step.idx, uses: step.uses });
	}

	#grant({ journal, open, waiting }: ModelDevice, held: Held): void {
		journal.admit({ ...held, rung: 'local' });
		open.push(held);
		waiting.push(() => this.#right(held.idx).held.set(held.redemption, held.uses));
	}

	#decideClaim(player: ModelDevice, kind: 'use' | 'release'): void {
		const claim = player.claimed.shift();
		if (claim === undefined) return;
		if (kind === 'use') {
			this.#grant(player, claim);
			return;
		}
		// Ids of tests are made in the form of real ones.
		player.journal.append({ kind: 'released', redemption: claim.redemption as never, lane: 'lane-1' });
		player.waiting.push(() => this.#right(claim.idx).held.delete(claim.redemption));
	}

	#settle({ journal, open, waiting }: ModelDevice, step: Step & { kind: 'settle' }): void {
		const grant = open.shift();
		if (grant === undefined) return;
		const taken = Math.min(step.taken, grant.uses);
		const back = Math.min(step.back, grant.uses - taken);
		journal.settle(grant.redemption, { idx: grant.idx, taken, back, of: grant.uses });
		waiting.push(() => {
			const right = this.#right(grant.idx);
			right.held.delete(grant.redemption);
			right.used += grant.uses - back;
			right.taken += taken;
			if (right.revoked && taken > 0) right.refunded = true;
		});
	}

	async #push(player: ModelDevice, { again, twice }: Step & { kind: 'push' }): Promise<void> {
		const { journal } = player;
		const from = Math.max(1, player.pushed + 1 - again);
		if (from > journal.rows.length) return;
		const segment = journal.segment(from);
		const calls = twice
			? [this.#store.ingest([segment]), this.#store.ingest([segment])]
			: [this.#store.ingest([segment])];
		for (const outcomes of await Promise.all(calls)) {
			expect(outcomes).toMatchObject([{ kind: 'accepted', acceptedThrough: journal.rows.length }]);
		}
		for (const effect of player.waiting) effect();
		player.waiting = [];
		player.pushed = journal.rows.length;
	}

	async #refund(number: number): Promise<void> {
		const right = this.#right(number);
		const { refunded } = await this.#store.refundOrder({ venue: this.#venue, order: `o-${number}`, atMs: nowMs });
		if (right.used === 0) right.revoked = true;
		expect(refunded).toEqual(right.revoked ? [number] : []);
	}

	/** Counts, lists and cases are what the arithmetic says. */
	async compare(): Promise<void> {
		const { cursor, events } = await this.#store.snapshot(this.#venue);
		const rights = this.#rights.map(({ used, held }, number) => {
			return { idx: number, allowance: 'ticket', use: usesOf[number] ?? 0, used, held: sum(held.values()) };
		});
		const isBit = ({ use, used, held }: (typeof rights)[number]) => use === 1 && used === 1 && held === 0;
		const touched = rights.filter(({ used, held }) => used + held > 0);
		expect(events[0]).toMatchObject({
			redeemed: touched.filter(isBit).map((right) => right.idx),
			counts: touched.filter((right) => !isBit(right)),
			revoked: [...this.#rights.keys()].filter((number) => this.#right(number).revoked),
		});
		const rows = this.#devices.reduce((total, { journal }) => total + journal.rows.length, 0);
		expect(cursor.admissions).toBe(rows);
		expect(await this.#store.presence(this.#venue, evt, nowMs)).toMatchObject({
			inside: sum(this.#rights.map(({ taken }) => taken)),
			held: sum(rights.map(({ held }) => held)),
		});
		const over = this.#rights.map(({ taken }, number) => taken - (usesOf[number] ?? 0));
		const cases = await this.#store.cases(this.#venue);
		const double = cases.filter(({ kind }) => kind === 'double_entry');
		expect(new Map(double.map((found) => [found.idx, found.over]))).toEqual(
			new Map([...over.entries()].filter(([, many]) => many > 0)),
		);
		for (const { kind, idx: number = -1, redemptions } of cases) {
			if (kind === 'refunded_after_entry') expect(this.#right(number).refunded).toBe(true);
			else expect(sum(redemptions.map(({ taken }) => taken))).toBe(this.#right(number).taken);
		}
		expect(cases.filter(({ kind }) => kind === 'refunded_after_entry')).toHaveLength(
			this.#rights.filter(({ refunded }) => refunded).length,
		);
	}
}

function sum(numbers: Iterable<number>): number {
	let total = 0;
	for (const number of numbers) total += number;
	return total;
}
