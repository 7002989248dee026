import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { wholeTicket } from './allowance.ts';
import { type DecideContext, type Decision, decide, type History } from './decide.ts';
import { denialsPerMinuteMax, type Ledger, type RedeemRequest } from './ledger.ts';
import { classPolicyDefaults, type Policy } from './policy.ts';
import type { Allowance, RedemptionId, Settlement } from './redemption.ts';
import { type Ticket, ticketId } from './ticket.ts';

const startMs = Date.UTC(2026, 10, 22, 10);

const policy: Policy = {
	evt: 'lantern-2026',
	timeZone: 'Asia/Shanghai',
	dayStartsAtMinutes: 240,
	classes: { leaver: { ...classPolicyDefaults, reentry: 'after_exit' } },
	unknownClass: 'admit',
	sessions: {},
};

function ticket(idx: number, more: Partial<Ticket> = {}): Ticket {
	return { id: ticketId('lantern-2026', idx), evt: 'lantern-2026', idx, cls: 'adult', use: 1, ...more };
}

function redemption(n: number): RedemptionId {
	return `redemption-${n}` as RedemptionId;
}

function requestOf(of: Ticket, n: number, more: Partial<RedeemRequest> = {}): RedeemRequest {
	const { id, evt, idx, cls, use } = of;
	const request = { redemptionId: redemption(n), ticketId: id, evt, idx, cls, use, allowance: wholeTicket };
	return { ...request, lane: 'lane-1', zone: 'main', atMs: startMs + n, ...more };
}

function contextOf(request: RedeemRequest): DecideContext {
	const lane = { id: request.lane, zone: request.zone };
	const clock = { nowMs: request.atMs, trusted: true };
	return { policy, agent: 'gate-1', lane, direction: 'entry', authority: 'out_of_reach', clock };
}

const taken: Omit<Settlement, 'redemptionId'> = { outcome: 'taken', taken: 1, back: true, counted: true };
const notTaken: Omit<Settlement, 'redemptionId'> = { outcome: 'not_taken', taken: 0, back: true, counted: true };

/** The conformance suite of the ledger port: its law, on an empty ledger per test. The suite closes what it gets. */
export function ledgerSuite(name: string, makeLedger: () => Promise<Ledger>): void {
	let ledger: Ledger;

	async function redeem(of: Ticket, n: number, more: Partial<RedeemRequest> = {}) {
		const request = requestOf(of, n, more);
		return ledger.redeem(request, (history) => decide(of, history, contextOf(request)));
	}
	async function historyOf(of: Ticket, more: Partial<RedeemRequest> = {}): Promise<History> {
		return ledger.history(requestOf(of, 999, more));
	}
	async function kinds(): Promise<string[]> {
		await ledger.flush();
		return (await ledger.rows(0, 10_000)).map(({ kind }) => kind);
	}

	beforeEach(async () => {
		ledger = await makeLedger();
	});
	afterEach(async () => {
		await ledger.close();
	});

	describe(`${name}: redeem`, () => {
		test('grants a ticket once and says where and when it was used', async () => {
			expect(await redeem(ticket(1), 1)).toMatchObject({ kind: 'granted', grant: { uses: 1, rung: 'local' } });
			await ledger.settle({ redemptionId: redemption(1), ...taken }, startMs + 5);
			expect(await redeem(ticket(1), 2, { lane: 'lane-2' })).toEqual({
				kind: 'denied',
				decision: { kind: 'deny', refusal: { reason: 'already_redeemed', lane: 'lane-1', atMs: startMs + 1 } },
			});
			expect(await kinds()).toEqual(['granted', 'settled']);
		});

		test('gives the first answer to the same redemption id and writes nothing', async () => {
			const first = await redeem(ticket(1), 1);
			expect(await redeem(ticket(1), 1)).toEqual(first);
			await ledger.settle({ redemptionId: redemption(1), ...taken }, startMs + 5);
			expect(await redeem(ticket(1), 1)).toEqual(first);
			const denied = await redeem(ticket(1), 2);
			await ledger.learn([{ kind: 'list', evt: 'lantern-2026', list: 'revoked', set: [1] }]);
			expect(await redeem(ticket(1), 2)).toEqual(denied);
			expect(await kinds()).toEqual(['granted', 'settled']);
		});

		test('decides twenty simultaneous redemptions one after the other', async () => {
			const asked = Array.from({ length: 20 }, (_, n) => redeem(ticket(7), n, { lane: `lane-${n}` }));
			const answers = await Promise.all(asked);
			expect(answers.filter(({ kind }) => kind === 'granted')).toHaveLength(1);
			expect(answers.filter(({ kind }) => kind === 'denied')).toHaveLength(19);
		});

		test('grants nothing when the decision fails', async () => {
			const bug = () => {
				throw new Error('a bug in decide');
			};
			await expect(ledger.redeem(requestOf(ticket(1), 1), bug)).rejects.toThrow('a bug in decide');
			expect(await kinds()).toEqual([]);
			expect(await redeem(ticket(1), 2)).toMatchObject({ kind: 'granted' });
		});

		test('keeps allowances of one ticket apart', async () => {
			const monday = { allowance: 'day:2026-11-23' as Allowance };
			const tuesday = { allowance: 'day:2026-11-24' as Allowance };
			const grantOne = (request: RedeemRequest) =>
				ledger.redeem(request, (history): Decision => {
					if (history.used + history.held > 0) return { kind: 'deny', refusal: { reason: 'already_redeemed' } };
					const { allowance } = request;
					return { kind: 'grant', direction: 'entry', allowance, uses: 1, reentry: false, rung: 'home', left: 0 };
				});
			expect((await grantOne(requestOf(ticket(1), 1, monday))).kind).toBe('granted');
			expect((await grantOne(requestOf(ticket(1), 2, monday))).kind).toBe('denied');
			expect((await grantOne(requestOf(ticket(1), 3, tuesday))).kind).toBe('granted');
			expect((await historyOf(ticket(1), monday)).open).toHaveLength(2);
		});

		test('counts unverified admissions by class, lane and clock hour', async () => {
			await redeem(ticket(1), 1);
			await redeem(ticket(2), 2);
			await redeem(ticket(3, { cls: 'child' }), 3);
			await redeem(ticket(4), 4, { lane: 'lane-2' });
			expect((await historyOf(ticket(9))).unverifiedInHour).toBe(2);
			expect((await historyOf(ticket(9), { lane: 'lane-2' })).unverifiedInHour).toBe(1);
			expect((await historyOf(ticket(9), { atMs: startMs + 3_600_000 })).unverifiedInHour).toBe(0);
		});

		test('an exit decided inside redeem holds nothing', async () => {
			const request = requestOf(ticket(1), 1);
			const exit = (): Decision => {
				const rest = { allowance: wholeTicket, uses: 0, reentry: false, rung: 'local', left: 1 } as const;
				return { kind: 'grant', direction: 'exit', ...rest };
			};
			const first = await ledger.redeem(request, exit);
			expect(first).toMatchObject({ kind: 'granted', grant: { uses: 0 } });
			expect(await ledger.redeem(request, exit)).toEqual(first);
			expect(await ledger.openGrants()).toEqual([]);
			expect(await kinds()).toEqual(['exited']);
		});
	});

	describe(`${name}: settle`, () => {
		test('holds the uses until the grant is settled', async () => {
			await redeem(ticket(1), 1);
			expect(await historyOf(ticket(1))).toMatchObject({ used: 0, held: 1, open: [{ lane: 'lane-1' }] });
			await ledger.settle({ redemptionId: redemption(1), ...taken }, startMs + 5);
			expect(await historyOf(ticket(1))).toMatchObject({ used: 1, held: 0, open: [] });
		});

		test('gives a use back at most twice per allowance', async () => {
			for (const n of [1, 2, 3]) {
				expect(await redeem(ticket(1), n)).toMatchObject({ kind: 'granted' });
				await ledger.settle({ redemptionId: redemption(n), ...notTaken }, startMs + n);
			}
			expect(await historyOf(ticket(1))).toMatchObject({ used: 1, held: 0, givenBack: 2 });
			expect((await ledger.rows(0, 10)).filter(({ kind }) => kind === 'settled')).toMatchObject([
				{ back: 1 },
				{ back: 1 },
				{ back: 0 },
			]);
		});

		test('a return that does not count has no limit, and a use that is not returned is gone', async () => {
			for (const n of [1, 2, 3, 4]) {
				await redeem(ticket(1), n);
				await ledger.settle({ redemptionId: redemption(n), ...notTaken, counted: false }, startMs + n);
			}
			expect(await historyOf(ticket(1))).toMatchObject({ used: 0, givenBack: 0 });
			await redeem(ticket(1), 5);
			await ledger.settle({ redemptionId: redemption(5), ...notTaken, back: false }, startMs + 9);
			expect(await historyOf(ticket(1))).toMatchObject({ used: 1, givenBack: 0 });
		});

		test('a late passage takes the returned use again, once', async () => {
			await redeem(ticket(1), 1);
			await ledger.settle({ redemptionId: redemption(1), ...notTaken }, startMs + 2);
			await ledger.settle({ redemptionId: redemption(1), ...taken, late: true }, startMs + 3);
			await ledger.settle({ redemptionId: redemption(1), ...taken, late: true }, startMs + 4);
			expect(await historyOf(ticket(1))).toMatchObject({ used: 1, held: 0 });
			expect(await ledger.rows(1, 10)).toMatchObject([{ outcome: 'not_taken' }, { outcome: 'taken', late: true }]);
		});

		test('of a group, what was not taken returns', async () => {
			const group = ticket(1, { use: 20 });
			const request = requestOf(group, 1);
			const all: Decision = {
				...{ kind: 'grant', direction: 'entry', allowance: wholeTicket, reentry: false, rung: 'local' },
				...{ uses: 20, left: 0 },
			};
			await ledger.redeem(request, () => all);
			expect(await historyOf(group)).toMatchObject({ held: 20 });
			await ledger.settle(
				{ redemptionId: redemption(1), outcome: 'taken', taken: 17, back: true, counted: false },
				startMs,
			);
			expect(await historyOf(group)).toMatchObject({ used: 17, held: 0, givenBack: 0 });
			expect(await ledger.rows(1, 1)).toMatchObject([{ taken: 17, of: 20, back: 3 }]);
		});

		test('writes nothing for an unknown or a settled grant', async () => {
			await redeem(ticket(1), 1);
			await ledger.settle({ redemptionId: redemption(1), ...taken }, startMs + 2);
			for (const n of [1, 2]) await ledger.settle({ redemptionId: redemption(n), ...notTaken }, startMs + 3);
			await ledger.settle({ redemptionId: redemption(1), ...taken, late: true }, startMs + 4);
			expect(await kinds()).toEqual(['granted', 'settled']);
			expect(await historyOf(ticket(1))).toMatchObject({ used: 1 });
		});

		test('lists open grants, oldest first', async () => {
			for (const n of [3, 1, 2]) await redeem(ticket(n), n);
			await ledger.settle({ redemptionId: redemption(1), ...taken }, startMs + 9);
			expect((await ledger.openGrants()).map(({ idx }) => idx)).toEqual([3, 2]);
		});
	});

	describe(`${name}: re-entry`, () => {
		const leaver = ticket(5, { cls: 'leaver' });
		const exited = { kind: 'exited', ticket: leaver.id, allowance: wholeTicket, cls: 'leaver', lane: 'out' } as const;

		async function enterAndLeave(): Promise<void> {
			await redeem(leaver, 1);
			await ledger.settle({ redemptionId: redemption(1), ...taken }, startMs + 2);
			await ledger.record(exited, startMs + 3);
		}

		test('an exit permits one re-entry without a use', async () => {
			await enterAndLeave();
			expect(await historyOf(leaver)).toMatchObject({ used: 1, exitedAtMs: startMs + 3 });
			expect(await redeem(leaver, 4)).toMatchObject({ kind: 'granted', grant: { uses: 0, reentry: true } });
			expect(await historyOf(leaver)).not.toHaveProperty('exitedAtMs');
			expect(await redeem(leaver, 5)).toMatchObject({ decision: { refusal: { reason: 'in_progress' } } });
			await ledger.settle({ redemptionId: redemption(4), ...taken }, startMs + 6);
			expect(await historyOf(leaver)).toMatchObject({ used: 1, held: 0 });
			expect(await redeem(leaver, 6)).toMatchObject({ decision: { refusal: { reason: 'already_redeemed' } } });
		});

		test('a re-entry that nobody took restores the permission, and a late passage takes it again', async () => {
			await enterAndLeave();
			await redeem(leaver, 4);
			await ledger.settle({ redemptionId: redemption(4), ...notTaken }, startMs + 5);
			expect(await historyOf(leaver)).toMatchObject({ exitedAtMs: startMs + 3, used: 1 });
			await ledger.settle({ redemptionId: redemption(4), ...taken, late: true }, startMs + 6);
			expect(await historyOf(leaver)).not.toHaveProperty('exitedAtMs');
			expect(await historyOf(leaver)).toMatchObject({ used: 1 });
		});

		test('a ticket that did not enter gains nothing at the exit, and two exits are no more than one', async () => {
			await ledger.record(exited, startMs);
			expect(await historyOf(leaver)).not.toHaveProperty('exitedAtMs');
			await enterAndLeave();
			await ledger.record(exited, startMs + 4);
			await redeem(leaver, 5);
			expect(await historyOf(leaver)).not.toHaveProperty('exitedAtMs');
			expect((await kinds()).filter((kind) => kind === 'exited')).toHaveLength(3);
		});

		test('an entry that a list tells of counts as one visitor inside', async () => {
			await ledger.learn([{ kind: 'list', evt: 'lantern-2026', list: 'redeemed', set: [5] }]);
			await ledger.record(exited, startMs + 3);
			expect(await redeem(leaver, 4)).toMatchObject({ kind: 'granted', grant: { reentry: true } });
		});

		test('yesterday’s entry permits nothing today', async () => {
			await redeem(leaver, 1);
			await ledger.settle({ redemptionId: redemption(1), ...taken }, startMs + 2);
			await ledger.record(exited, startMs + 26 * 3_600_000);
			expect(await historyOf(leaver)).not.toHaveProperty('exitedAtMs');
		});
	});

	describe(`${name}: lists`, () => {
		test('learns what others redeemed and what was revoked, bit by bit', async () => {
			const edges = [0, 1, 4095, 4096, 8191, 999_999, 2 ** 31 - 1];
			await ledger.learn([{ kind: 'list', evt: 'lantern-2026', list: 'redeemed', set: edges }]);
			await ledger.learn([{ kind: 'list', evt: 'lantern-2026', list: 'revoked', set: [4096], clear: [1] }]);
			for (const idx of edges) {
				const expected = { listedRedeemed: true, revoked: idx === 4096 };
				expect(await historyOf(ticket(idx))).toMatchObject(expected);
			}
			for (const idx of [2, 4094, 4097, 2 ** 31 - 2]) {
				expect(await historyOf(ticket(idx))).toMatchObject({ listedRedeemed: false });
			}
			await ledger.learn([{ kind: 'list', evt: 'lantern-2026', list: 'redeemed', set: [2], clear: [4096, 2] }]);
			expect(await historyOf(ticket(4096))).toMatchObject({ listedRedeemed: false, revoked: true });
			expect(await historyOf(ticket(2))).toMatchObject({ listedRedeemed: false });
			expect(await kinds()).toEqual([]);
		});

		test('refuses a number that no ticket can have', async () => {
			for (const idx of [-1, 1.5, 2 ** 31, Number.NaN]) {
				await expect(ledger.learn([{ kind: 'list', evt: 'e', list: 'revoked', set: [1, idx] }])).rejects.toThrow(
					'out of range',
				);
			}
			expect(await historyOf(ticket(1))).toMatchObject({ revoked: false });
		});
	});

	describe(`${name}: journal`, () => {
		test('numbers rows without gaps and never lets time go back', async () => {
			await redeem(ticket(1), 1, { atMs: startMs + 50 });
			await redeem(ticket(2), 2, { atMs: startMs });
			await ledger.record({ kind: 'alarm', lane: 'lane-1', alarm: 'tamper', on: true }, startMs - 5);
			ledger.deny({ reason: 'unreadable', lane: 'lane-1', atMs: startMs + 60 });
			await ledger.flush();
			const rows = await ledger.rows(0, 100);
			expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
			expect(rows.map(({ at }) => at - startMs)).toEqual([50, 50, 50, 60]);
			expect(new Set(rows.map(({ epoch }) => epoch))).toEqual(new Set([ledger.epoch]));
			expect(await ledger.latestMs()).toBe(startMs + 60);
			expect(await ledger.rows(2, 1)).toMatchObject([{ seq: 3, kind: 'alarm' }]);
			expect(await ledger.rows(4, 1)).toEqual([]);
			await expect(ledger.rows(0, 10_001)).rejects.toThrow('1 to 10000');
		});

		test('remembers lanes and small values', async () => {
			const lane = { kind: 'lane', lane: 'lane-1', mode: 'locked', emergency: false, by: 'chen' } as const;
			await ledger.record(lane, startMs);
			await ledger.record({ ...lane, mode: 'free', emergency: true }, startMs + 1);
			expect(await ledger.lanes()).toEqual([{ lane: 'lane-1', mode: 'free', emergency: true }]);
			await ledger.remember('clock-floor', '1');
			await ledger.remember('clock-floor', '2');
			expect(await ledger.recall('clock-floor')).toBe('2');
			expect(await ledger.recall('nothing')).toBeUndefined();
		});

		test('refuses facts that have a method of their own', async () => {
			const denied = { kind: 'denied', reason: 'revoked', lane: 'lane-1', count: 1 } as const;
			await expect(ledger.record(denied, startMs)).rejects.toThrow('not written by record');
		});

		test('may be closed twice and takes nothing afterwards', async () => {
			await ledger.close();
			await ledger.close();
			ledger.deny({ reason: 'revoked', lane: 'lane-1', atMs: startMs });
			await expect(redeem(ticket(1), 1)).rejects.toMatchObject({ code: 'ledger_io' });
		});
	});

	describe(`${name}: denials`, () => {
		test('coalesces equal denials and keeps different ones apart', async () => {
			const code = { kind: 'url', length: 40, hmac: '0123456789abcdef' } as const;
			for (let n = 0; n < 5; n++) ledger.deny({ reason: 'not_a_ticket', lane: 'lane-1', code, atMs: startMs + n });
			ledger.deny({ reason: 'not_a_ticket', lane: 'lane-2', code, atMs: startMs + 6 });
			ledger.deny({ reason: 'revoked', lane: 'lane-1', ticketId: ticketId('lantern-2026', 1), atMs: startMs + 7 });
			await ledger.flush();
			expect(await ledger.rows(0, 10)).toMatchObject([
				{ kind: 'denied', reason: 'not_a_ticket', lane: 'lane-1', code, count: 5, at: startMs },
				{ kind: 'denied', reason: 'not_a_ticket', lane: 'lane-2', count: 1 },
				{ kind: 'denied', reason: 'revoked', ticket: 'lantern-2026/1', count: 1 },
			]);
		});

		test('only counts above the limit of a lane and minute', async () => {
			for (let n = 0; n < 200; n++) {
				ledger.deny({ reason: 'unreadable', lane: 'lane-1', atMs: startMs + n });
				await ledger.flush();
			}
			ledger.deny({ reason: 'unreadable', lane: 'lane-2', atMs: startMs + 200 });
			expect(await kinds()).toEqual(Array.from({ length: denialsPerMinuteMax + 1 }, () => 'denied'));
			ledger.deny({ reason: 'revoked', lane: 'lane-1', atMs: startMs + 60_000 });
			await ledger.flush();
			expect(await ledger.rows(denialsPerMinuteMax + 1, 10)).toMatchObject([
				{ kind: 'denied_many', lane: 'lane-1', counts: { unreadable: 200 - denialsPerMinuteMax } },
				{ kind: 'denied', reason: 'revoked' },
			]);
		});
	});

	describe(`${name}: any order of operations`, () => {
		test('never takes or holds more than the uses of a ticket', async () => {
			const operation = fc.record({
				kind: fc.constantFrom('redeem', 'redeem', 'taken', 'not_taken'),
				n: fc.nat(15),
				back: fc.boolean(),
			});
			let base = 1000;
			await fc.assert(
				fc.asyncProperty(fc.array(operation, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), async (ops, use) => {
					base += 1000;
					const of = ticket(base, { use });
					for (const [step, { kind, n, back }] of ops.entries()) {
						if (kind === 'redeem') await redeem(of, base + n, { lane: `lane-${step % 3}` });
						else {
							const outcome = kind === 'not_taken' ? notTaken : taken;
							await ledger.settle({ redemptionId: redemption(base + n), ...outcome, back }, startMs + step);
						}
						const { used, held } = await historyOf(of);
						expect(used + held).toBeLessThanOrEqual(use);
						expect(Math.min(used, held)).toBeGreaterThanOrEqual(0);
					}
				}),
				{ numRuns: 30 },
			);
		});
	});
}
