import fc from 'fast-check';
import { expect } from 'vitest';
import { allowanceOf } from './allowance.ts';
import { decide } from './decide.ts';
import type { Ledger } from './ledger.ts';
import { createMemoryLedger } from './memory-ledger.ts';
import { classPolicyDefaults, type Policy } from './policy.ts';
import type { Fact, RedemptionId, Settlement } from './redemption.ts';
import { type Ticket, ticketId } from './ticket.ts';

const startMs = Date.UTC(2026, 10, 22, 10);
const hourMs = 3_600_000;
const policy: Policy = {
	evt: 'lantern-2026',
	timeZone: 'Asia/Shanghai',
	dayStartsAtMinutes: 240,
	classes: {
		leaver: { ...classPolicyDefaults, reentry: 'after_exit' },
		annual: { ...classPolicyDefaults, allowance: 'day', reentry: 'after_exit' },
		package: { ...classPolicyDefaults, allowance: 'zone', unverifiedPerHour: 3, unverifiedLimit: 'refuse' },
		tour: { ...classPolicyDefaults, group: 'run' },
	},
	unknownClass: 'admit',
	sessions: {},
};

/** Few tickets, lanes and redemption ids, so that operations meet. */
const tickets: readonly Ticket[] = ['adult', 'leaver', 'annual', 'package', 'tour'].map((cls, idx) => {
	const use = cls === 'tour' ? 5 : cls === 'leaver' ? 2 : 1;
	return { id: ticketId('lantern-2026', idx * 4095), evt: 'lantern-2026', idx: idx * 4095, cls, use };
});

const some = {
	ticket: fc.constantFrom(...tickets),
	lane: fc.constantFrom('lane-1', 'lane-2'),
	id: fc.nat(12).map((n) => `redemption-${n}` as RedemptionId),
	/** Mostly a little later, now and then a day, and sometimes a clock that goes back. */
	laterMs: fc.oneof(fc.nat(90_000), fc.constantFrom(-hourMs, hourMs, 20 * hourMs)),
};

const operation = fc.oneof(
	{ weight: 5, arbitrary: fc.record({ kind: fc.constant('redeem' as const), exit: fc.nat(9), ...some }) },
	{
		weight: 3,
		arbitrary: fc.record({
			kind: fc.constant('right' as const),
			...some,
			used: fc.nat(2),
			held: fc.nat(1),
			ownSeq: fc.option(fc.nat(30), { nil: undefined }),
			whole: fc.boolean(),
		}),
	},
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), ...some }) },
	{
		weight: 4,
		arbitrary: fc.record({
			kind: fc.constant('settle' as const),
			...some,
			outcome: fc.constantFrom('taken' as const, 'taken_assumed' as const, 'not_taken' as const),
			taken: fc.nat(5),
			back: fc.boolean(),
			counted: fc.boolean(),
			late: fc.boolean(),
		}),
	},
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant('exited' as const), ...some }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('lane' as const), ...some, emergency: fc.boolean() }) },
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constant('deny' as const),
			...some,
			reason: fc.constantFrom('revoked' as const, 'expired' as const),
			times: fc.constantFrom(1, 2, 70),
		}),
	},
	{
		weight: 1,
		arbitrary: fc.record({
			kind: fc.constant('learn' as const),
			...some,
			list: fc.constantFrom('redeemed' as const, 'revoked' as const),
			clear: fc.boolean(),
		}),
	},
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const), ...some }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

function asked({ ticket, lane, id }: Operation, atMs: number) {
	const { evt, idx, cls, use } = ticket;
	const zone = lane === 'lane-1' ? 'main' : 'hall-2';
	const allowance = allowanceOf(ticket, policy, { nowMs: atMs, zone });
	return { redemptionId: id, ticketId: ticket.id, evt, idx, cls, use, allowance, lane, zone, atMs };
}

async function apply(ledger: Ledger, op: Operation, atMs: number): Promise<unknown> {
	const request = asked(op, atMs);
	const { lane, ticket } = op;
	switch (op.kind) {
		case 'redeem':
			return ledger.redeem(request, (history) =>
				decide(ticket, history, {
					...{ policy, agent: 'gate-1', lane: { id: lane, zone: request.zone }, authority: 'out_of_reach' },
					direction: op.exit === 0 ? 'exit' : 'entry',
					clock: { nowMs: atMs, trusted: true },
				}),
			);
		case 'settle': {
			const { id: redemptionId, outcome, taken, back, counted, late } = op;
			const settlement: Settlement = { redemptionId, outcome, taken, back, counted, ...(late ? { late } : {}) };
			return ledger.settle(settlement, atMs);
		}
		case 'exited': {
			const { allowance, cls } = request;
			return ledger.record({ kind: 'exited', ticket: ticket.id, allowance, cls, lane } satisfies Fact, atMs);
		}
		case 'lane':
			return ledger.record({ kind: 'lane', lane, mode: 'free', emergency: op.emergency, by: 'chen' }, atMs);
		case 'deny':
			for (let n = 0; n < op.times; n++) {
				ledger.deny({ reason: op.reason, lane, ticketId: ticketId('lantern-2026', n), atMs });
			}
			return undefined;
		case 'right':
			return learnRight(ledger, op, request);
		case 'release':
			return ledger.release(op.id, lane, atMs);
		case 'learn':
			return ledger.learn([
				{
					...{ kind: 'list', evt: 'lantern-2026', list: op.list, set: [ticket.idx, ticket.idx + 1] },
					...(op.clear ? { clear: [ticket.idx] } : {}),
				},
			]);
		default:
			return ledger.flush();
	}
}

function learnRight(
	ledger: Ledger,
	op: Operation & { kind: 'right' },
	request: ReturnType<typeof asked>,
): Promise<void> {
	const { evt, idx, use, lane, allowance } = request;
	const { used, held, ownSeq } = op;
	const last = used > 0 ? { last: { lane, atMs: startMs } } : {};
	const right = { kind: 'right', evt, idx, use, allowance, used, held, ...last } as const;
	if (!op.whole) return ledger.learn([{ ...right, ...(ownSeq !== undefined && { ownSeq }) }], { cursor: `${idx}` });
	const pages = new Map([[3, new Uint8Array(512).fill(used)]]);
	return ledger.replaceLearned({
		lists: [{ evt, list: 'redeemed', pages }],
		rights: [right],
		ownThrough: ownSeq ?? 0,
		notes: { cursor: 'replaced' },
	});
}

/** A ledger that is compared with the one in memory; its epoch is `epoch-1`, its clock stands at 0. */
export interface Compared {
	readonly ledger: Ledger;
	/** Closes it and opens it again. */
	reopen(): Promise<Ledger>;
	/** Looks at what is left once it is closed. */
	check(): Promise<void>;
}

/** Applies random operations to a ledger and to one in memory: every answer, history and row must be the same. */
export async function expectSameAsMemory(make: () => Promise<Compared>, numRuns: number): Promise<void> {
	await fc.assert(
		fc.asyncProperty(fc.array(operation, { minLength: 20, maxLength: 50 }), async (operations) => {
			const memory = createMemoryLedger({ epoch: 'epoch-1', device: 'gate-1' });
			const { ledger, reopen, check } = await make();
			let atMs = startMs;
			for (const op of operations) {
				atMs += op.laterMs;
				expect(await apply(ledger, op, atMs)).toEqual(await apply(memory, op, atMs));
				await expectSameHistories([ledger, memory], op, atMs);
			}
			// What one flush writes moves the ledger's time on, so that the counts of a minute may be due after it.
			for (const each of [memory, ledger, memory, ledger, memory, ledger]) await each.flush();
			await expectSameRecords(ledger, memory);
			const rows = await memory.rows(0, 10_000);
			await ledger.close();
			const again = await reopen();
			const last = { kind: 'flush', lane: 'lane-1', id: 'any' as RedemptionId, laterMs: 0 } as const;
			for (const ticket of tickets) await expectSameHistories([again, memory], { ...last, ticket }, atMs);
			expect((await again.rows(0, 10_000)).slice(0, rows.length)).toEqual(rows);
			await again.close();
			await check();
			await memory.close();
		}),
		{ numRuns, endOnFailure: true },
	);
}

async function expectSameHistories(
	[ledger, memory]: readonly [Ledger, Ledger],
	op: Operation,
	atMs: number,
): Promise<void> {
	const requests = tickets.map((ticket) => asked({ ...op, ticket }, atMs));
	const histories = (of: Ledger) => Promise.all(requests.map((request) => of.history(request)));
	expect(await histories(ledger)).toEqual(await histories(memory));
}

async function expectSameRecords(ledger: Ledger, memory: Ledger): Promise<void> {
	expect(await ledger.rows(0, 10_000)).toEqual(await memory.rows(0, 10_000));
	expect(await ledger.openGrants()).toEqual(await memory.openGrants());
	expect(await ledger.lanes()).toEqual(await memory.lanes());
	expect(await ledger.latestMs()).toBe(await memory.latestMs());
	expect(await ledger.stored(3, 10)).toEqual(await memory.stored(3, 10));
	expect(await ledger.newestSeq()).toBe(await memory.newestSeq());
	expect(await ledger.recall('cursor')).toBe(await memory.recall('cursor'));
}
