import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wholeTicket } from './allowance.ts';
import { type DecideContext, type Decision, decide, type History } from './decide.ts';
import { type ClassPolicy, classPolicyDefaults, type Policy } from './policy.ts';
import type { Allowance, Grant, RedemptionId } from './redemption.ts';
import type { Refusal } from './refusal.ts';
import { type Ticket, ticketId } from './ticket.ts';

const noon = Date.UTC(2026, 10, 22, 4); // 12:00 at the venue
const hour = 3_600_000;
const seconds = (ms: number) => ms / 1000;

const unused: History = {
	...{ revoked: false, listedRedeemed: false, used: 0, held: 0, givenBack: 0, open: [], unverifiedInHour: 0 },
};
const adult: Ticket = {
	...{ id: ticketId('lantern-2026', 7), evt: 'lantern-2026', idx: 7, cls: 'adult', use: 1 },
	...{ nbf: seconds(noon - 3 * hour), exp: seconds(noon + 3 * hour) },
};
const policyOf = (rules: Partial<ClassPolicy> = {}, more: Partial<Policy> = {}): Policy => ({
	...{ evt: 'lantern-2026', timeZone: 'Asia/Shanghai', dayStartsAtMinutes: 240 },
	classes: { adult: { ...classPolicyDefaults, ...rules } },
	unknownClass: 'staff',
	sessions: { evening: { fromMs: noon + 6 * hour, untilMs: noon + 8 * hour, graceMs: hour / 2, postponedMs: 0 } },
	...more,
});
const contextOf = (rules: Partial<ClassPolicy> = {}, more: Partial<DecideContext> = {}): DecideContext => ({
	policy: policyOf(rules),
	agent: 'gate-1',
	lane: { id: 'lane-1', zone: 'main' },
	direction: 'entry',
	authority: 'out_of_reach',
	clock: { nowMs: noon, trusted: true },
	...more,
});
const grantAt = (lane: string, more: Partial<Grant> = {}): Grant => ({
	...{ redemptionId: 'r' as RedemptionId, ticketId: adult.id, evt: adult.evt, idx: adult.idx, cls: 'adult' },
	...{ allowance: wholeTicket, uses: 1, reentry: false, rung: 'local', lane, atMs: noon - 1000, ...more },
});
const untrusted = { clock: { nowMs: noon, trusted: false } };
const used: History = { ...unused, used: 1, last: { lane: 'lane-9', atMs: noon - hour } };

interface Wrong {
	readonly reason: string;
	readonly ticket?: Partial<Ticket>;
	readonly history?: Partial<History>;
}

interface Case extends Omit<Wrong, 'reason'> {
	readonly name: string;
	readonly rules?: Partial<ClassPolicy>;
	readonly context?: Partial<DecideContext>;
	readonly says: Refusal | Partial<Decision & { kind: 'grant' }>;
}

const at = (nowMs: number, trusted = true) => ({ clock: { nowMs, trusted } });
const session = { ses: 'evening' };
const delayed = policyOf(
	{},
	{
		sessions: { evening: { fromMs: noon - 2 * hour, untilMs: noon - hour, graceMs: 0, postponedMs: 2 * hour } },
	},
);

const cases: readonly Case[] = [
	{ name: 'admits an ordinary ticket', says: { uses: 1, left: 0, rung: 'local', reentry: false } },
	{ name: 'names the rung of the authority', context: { authority: 'reachable' }, says: { rung: 'authority' } },
	{
		name: 'refuses the ticket of another event',
		ticket: { evt: 'opera' },
		says: { reason: 'wrong_event', evt: 'opera' },
	},
	{ name: 'refuses a revoked ticket', history: { revoked: true }, says: { reason: 'revoked' } },

	{
		name: 'sends an unknown class to staff',
		ticket: { cls: 'vip' },
		says: { reason: 'staff_needed', why: 'unknown_class' },
	},
	{
		name: 'is not fooled by a class named like a method of objects',
		ticket: { cls: 'constructor' },
		says: { reason: 'staff_needed', why: 'unknown_class' },
	},
	{
		name: 'sends an unknown session to staff',
		ticket: { ses: 'x' },
		says: { reason: 'staff_needed', why: 'unknown_session' },
	},
	{
		name: 'sends a holder-bound ticket to staff',
		ticket: { holderBound: true },
		says: { reason: 'staff_needed', why: 'holder_bound' },
	},

	{ name: 'opens the zones on the ticket', ticket: { zon: ['hall-2', 'main'] }, says: { uses: 1 } },
	{
		name: 'refuses another zone and says which',
		ticket: { zon: ['hall-2'] },
		says: { reason: 'wrong_zone', zones: ['hall-2'] },
	},
	{
		name: 'admits at the home gate on its own word',
		ticket: { home: 'gate-1' },
		rules: { homeOnly: true, offline: 'refuse' },
		says: { rung: 'home' },
	},
	{
		name: 'has no right to the home tickets of a gate that it replaces, authority or not',
		ticket: { home: 'gate-1' },
		rules: { homeOnly: true },
		context: { standing: 'successor', authority: 'reachable' },
		says: { reason: 'staff_needed', why: 'gate_replaced' },
	},
	{
		name: 'admits all other tickets at a gate that replaces one',
		context: { standing: 'successor' },
		says: { rung: 'local' },
	},
	{
		name: 'sends a home-only ticket home, authority or not',
		ticket: { home: 'gate-2' },
		rules: { homeOnly: true },
		context: { authority: 'reachable' },
		says: { reason: 'wrong_gate', home: 'gate-2' },
	},
	{ name: 'refuses a home-only ticket without a home', rules: { homeOnly: true }, says: { reason: 'wrong_gate' } },

	{ name: 'admits in the first second', ticket: { nbf: seconds(noon) }, says: { uses: 1 } },
	{
		name: 'is early one millisecond before',
		context: at(noon - 3 * hour - 1),
		says: { reason: 'not_yet_valid', fromMs: noon - 3 * hour },
	},
	{ name: 'admits in the last millisecond', context: at(noon + 3 * hour - 1), says: { uses: 1 } },
	{ name: 'has expired at exp', context: at(noon + 3 * hour), says: { reason: 'expired', untilMs: noon + 3 * hour } },
	{
		name: 'takes the session’s window before nbf and exp',
		ticket: session,
		says: { reason: 'not_yet_valid', fromMs: noon + 6 * hour },
	},
	{ name: 'admits latecomers within the grace', ticket: session, context: at(noon + 8.4 * hour), says: { uses: 1 } },
	{
		name: 'refuses latecomers after it',
		ticket: session,
		context: at(noon + 8.5 * hour),
		says: { reason: 'expired', untilMs: noon + 8.5 * hour },
	},
	{ name: 'a rain delay moves the window', ticket: session, context: { policy: delayed }, says: { uses: 1 } },
	{
		name: 'a rain delay moves the end',
		ticket: session,
		context: { policy: delayed, ...at(noon + hour) },
		says: { reason: 'expired', untilMs: noon + hour },
	},
	{
		name: 'an untrusted clock never says too early',
		ticket: { nbf: seconds(noon + 1000) },
		context: untrusted,
		says: { uses: 1 },
	},
	{
		name: 'an untrusted clock refuses the unknown where the class says so',
		ticket: { nbf: seconds(noon + 1000) },
		rules: { clockUntrusted: 'refuse' },
		context: untrusted,
		says: { reason: 'clock_untrusted' },
	},
	{
		name: 'an untrusted clock knows what has begun',
		rules: { clockUntrusted: 'refuse' },
		context: untrusted,
		says: { uses: 1 },
	},
	{
		name: 'an untrusted clock knows what has expired',
		ticket: { exp: seconds(noon) },
		context: untrusted,
		says: { reason: 'expired', untilMs: noon },
	},

	{
		name: 'refuses a used ticket and says where and when',
		history: used,
		says: { reason: 'already_redeemed', lane: 'lane-9', atMs: noon - hour },
	},
	{
		name: 'refuses what a list calls redeemed',
		history: { listedRedeemed: true },
		says: { reason: 'already_redeemed' },
	},
	{
		name: 'does not name the place of a grant that was given back',
		history: { listedRedeemed: true, last: { lane: 'lane-9', atMs: 1 } },
		says: { reason: 'already_redeemed' },
	},
	{
		name: 'a list says nothing of one day of a pass',
		rules: { allowance: 'day' },
		history: { listedRedeemed: true },
		says: { uses: 1, allowance: 'day:2026-11-22' as Allowance },
	},
	{
		name: 'waits for the visitor in another lane',
		history: { held: 1, open: [grantAt('lane-2')] },
		says: { reason: 'in_progress', lane: 'lane-2' },
	},
	{
		name: 'waits for a re-entry in another lane',
		history: { ...used, open: [grantAt('lane-2', { uses: 0, reentry: true })] },
		says: { reason: 'in_progress', lane: 'lane-2' },
	},
	{
		name: 'does not wait for a grant on another allowance',
		history: { ...used, open: [grantAt('lane-2', { allowance: 'zone:x' as Allowance })] },
		says: { reason: 'already_redeemed', lane: 'lane-9', atMs: noon - hour },
	},
	{
		name: 'two of a group enter at two lanes at once',
		ticket: { use: 3 },
		history: { used: 1, held: 1, open: [grantAt('lane-2')] },
		says: { uses: 1, left: 0 },
	},
	{
		name: 'the rest of a group is held elsewhere',
		ticket: { use: 3 },
		history: { used: 1, held: 2, open: [grantAt('lane-2')] },
		says: { reason: 'in_progress', lane: 'lane-2' },
	},
	{
		name: 'another gate holds the last use, as the authority says',
		ticket: { use: 3 },
		history: { used: 2, held: 1, last: { lane: 'lane-7', atMs: noon } },
		says: { reason: 'in_progress', lane: 'lane-7' },
	},
	{
		name: 'a group is used up',
		ticket: { use: 3 },
		history: { ...used, used: 3 },
		says: { reason: 'no_uses_left', use: 3, lane: 'lane-9', atMs: noon - hour },
	},
	{
		name: 'a run holds all that is left',
		ticket: { use: 20 },
		rules: { group: 'run' },
		history: { used: 5, held: 1 },
		says: { uses: 14, left: 0 },
	},

	{
		name: 're-enters after an exit without a use',
		rules: { reentry: 'after_exit' },
		history: { ...used, exitedAtMs: noon - 1 },
		says: { uses: 0, reentry: true, left: 0, rung: 'local' },
	},
	{
		name: 're-enters where the list knows the entry',
		rules: { reentry: 'after_exit' },
		history: { listedRedeemed: true, exitedAtMs: noon - 1 },
		says: { uses: 0, reentry: true },
	},
	{
		name: 'does not re-enter without the right',
		history: { ...used, exitedAtMs: noon - 1 },
		says: { reason: 'already_redeemed', lane: 'lane-9', atMs: noon - hour },
	},
	{
		name: 'does not re-enter on the next venue day',
		rules: { reentry: 'after_exit' },
		history: { ...used, exitedAtMs: noon - 8 * hour - 1 },
		says: { reason: 'already_redeemed', lane: 'lane-9', atMs: noon - hour },
	},
	{
		name: 're-enters from the first minute of the venue day',
		rules: { reentry: 'after_exit' },
		history: { ...used, exitedAtMs: noon - 8 * hour },
		says: { uses: 0, reentry: true },
	},

	{
		name: 'refuses offline where the class says so',
		rules: { offline: 'refuse' },
		says: { reason: 'offline_refused' },
	},
	{
		name: 'admits such a class with the authority',
		rules: { offline: 'refuse' },
		context: { authority: 'reachable' },
		says: { rung: 'authority' },
	},
	{
		name: 'admits below the unverified limit',
		rules: { unverifiedPerHour: 2, unverifiedLimit: 'refuse' },
		history: { unverifiedInHour: 1 },
		says: { uses: 1 },
	},
	{
		name: 'refuses at the unverified limit',
		rules: { unverifiedPerHour: 2, unverifiedLimit: 'refuse' },
		history: { unverifiedInHour: 2 },
		says: { reason: 'offline_refused' },
	},
	{
		name: 'only alarms at the limit by default',
		rules: { unverifiedPerHour: 2 },
		history: { unverifiedInHour: 9 },
		says: { uses: 1 },
	},
	{
		name: 'the limit does not bind with the authority',
		rules: { unverifiedPerHour: 0, unverifiedLimit: 'refuse' },
		context: { authority: 'reachable' },
		says: { uses: 1 },
	},
];

describe('decide', () => {
	for (const { name, ticket, history, rules, context, says } of cases) {
		test(name, () => {
			const decision = decide({ ...adult, ...ticket }, { ...unused, ...history }, contextOf(rules, context));
			if ('reason' in says) expect(decision).toEqual({ kind: 'deny', refusal: says });
			else expect(decision).toMatchObject({ kind: 'grant', direction: 'entry', ...says });
		});
	}

	/** Each line makes one more thing wrong with the ticket; the reason given is always that of the last line. */
	test('gives the reason that helps the visitor most', () => {
		const wrongs: readonly Wrong[] = [
			{ reason: 'offline_refused' },
			{ reason: 'staff_needed', ticket: { holderBound: true } },
			{ reason: 'already_redeemed', history: used },
			{ reason: 'in_progress', history: { open: [grantAt('lane-2')] } },
			{ reason: 'not_yet_valid', ticket: { nbf: seconds(noon + hour) } },
			{ reason: 'wrong_zone', ticket: { zon: ['hall-2'] } },
			{ reason: 'expired', ticket: { exp: seconds(noon) } },
			{ reason: 'staff_needed', ticket: { cls: 'vip' } },
			{ reason: 'revoked', history: { revoked: true } },
			{ reason: 'wrong_event', ticket: { evt: 'opera' } },
		];
		let all: Required<Omit<Wrong, 'reason'>> = { ticket: {}, history: {} };
		for (const { reason, ticket, history } of wrongs) {
			all = { ticket: { ...all.ticket, ...ticket }, history: { ...all.history, ...history } };
			const context = contextOf({ offline: 'refuse' });
			const decision = decide({ ...adult, ...all.ticket }, { ...unused, ...all.history }, context);
			expect(decision).toMatchObject({ kind: 'deny', refusal: { reason } });
		}
	});

	test('lets everybody out who has a genuine ticket of this event', () => {
		const out = (ticket: Partial<Ticket>, history: Partial<History>) =>
			decide(
				{ ...adult, ...ticket },
				{ ...unused, ...history },
				contextOf({ offline: 'refuse' }, { direction: 'exit' }),
			);
		const exit = { kind: 'grant', direction: 'exit', uses: 0, reentry: false };
		expect(out({}, {})).toMatchObject({ ...exit, left: 1 });
		expect(out({}, { ...used, open: [grantAt('lane-2')], revoked: true })).toMatchObject({ ...exit, left: 0 });
		expect(out({ cls: 'vip', exp: 1, zon: ['x'], holderBound: true, ses: 'x' }, {})).toMatchObject(exit);
		expect(out({ evt: 'opera' }, {})).toMatchObject({ refusal: { reason: 'wrong_event' } });
	});

	test('never grants more than is left, and nothing to a revoked or expired ticket', () => {
		const anyHistory = fc.record({
			...{ revoked: fc.boolean(), listedRedeemed: fc.boolean(), used: fc.nat(6), held: fc.nat(3) },
			...{ givenBack: fc.nat(2), unverifiedInHour: fc.nat(3), open: fc.constant<Grant[]>([]) },
		});
		const anyRules = fc.record({
			allowance: fc.constantFrom('ticket' as const, 'day' as const, 'zone' as const, 'session' as const),
			group: fc.constantFrom('single' as const, 'run' as const),
			reentry: fc.constantFrom('none' as const, 'after_exit' as const),
			clockUntrusted: fc.constantFrom('admit' as const, 'refuse' as const),
		});
		const anyCase = fc.record({
			...{ history: anyHistory, rules: anyRules, more: fc.nat(5), trusted: fc.boolean() },
			hours: fc.integer({ min: -5, max: 5 }),
		});
		fc.assert(
			fc.property(anyCase, ({ history, rules, more, trusted, hours }) => {
				const ticket = { ...adult, use: more + 1 };
				const decision = decide(ticket, history, contextOf(rules, at(noon + hours * hour, trusted)));
				if (decision.kind === 'deny') return;
				expect(history.revoked).toBe(false);
				expect(hours).toBeLessThan(3);
				expect(history.used + history.held + decision.uses + decision.left).toBe(ticket.use);
				expect(decision.uses).toBeGreaterThan(0);
			}),
		);
	});
});
