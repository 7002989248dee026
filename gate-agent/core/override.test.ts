import { expect, test } from 'vitest';
import { wholeTicket } from './allowance.ts';
import { type DecideContext, decide, type History } from './decide.ts';
import { canOverride, decideOverride } from './override.ts';
import { classPolicyDefaults } from './policy.ts';
import type { Refusal } from './refusal.ts';
import { type Ticket, ticketId } from './ticket.ts';

const noon = Date.UTC(2026, 10, 22, 4);
const hour = 3_600;
const history: History = {
	...{ revoked: false, listedRedeemed: false, used: 0, held: 0, givenBack: 0, open: [], unverifiedInHour: 0 },
};
const ticket: Ticket = {
	...{ id: ticketId('lantern-2026', 7), evt: 'lantern-2026', idx: 7, cls: 'adult', use: 1 },
	...{ nbf: noon / 1000 - hour, exp: noon / 1000 + hour },
};
const context: DecideContext = {
	policy: {
		...{ evt: 'lantern-2026', timeZone: 'Asia/Shanghai', dayStartsAtMinutes: 0, unknownClass: 'staff', sessions: {} },
		classes: { adult: classPolicyDefaults, homely: { ...classPolicyDefaults, homeOnly: true } },
	},
	...{ agent: 'handheld-1', lane: { id: 'handheld-1', zone: 'main' }, direction: 'entry', authority: 'out_of_reach' },
	clock: { nowMs: noon, trusted: true },
};

interface Case {
	readonly name: string;
	readonly ticket?: Partial<Ticket>;
	readonly history?: Partial<History>;
	readonly context?: Partial<DecideContext>;
}

const admitted: readonly Case[] = [
	{ name: 'a ticket that was used', history: { used: 1 } },
	{ name: 'a ticket that a list calls used', history: { listedRedeemed: true } },
	{ name: 'a group of which nothing is left', ticket: { use: 3 }, history: { used: 3 } },
	{ name: 'a ticket that is in use elsewhere', history: { held: 1, last: { lane: 'lane-2', atMs: noon } } },
	{ name: 'an expired ticket', ticket: { exp: noon / 1000 } },
	{ name: 'a ticket whose time has not come', ticket: { nbf: noon / 1000 + 1 } },
	{ name: 'a ticket of another zone', ticket: { zon: ['hall-2'] } },
	{ name: 'a ticket of another gate', ticket: { cls: 'homely', home: 'gate-1' } },
	{ name: 'an unknown class', ticket: { cls: 'vip' } },
	{ name: 'an unknown session', ticket: { ses: 'evening' } },
	{ name: 'a ticket whose holder must be checked', ticket: { holderBound: true } },
	{ name: 'a ticket on a quarantined device', context: { standing: 'quarantined' } },
	{ name: 'a ticket that may enter meanwhile', context: { authority: 'reachable' } },
];

test.each(admitted)('a supervisor admits $name, on the rung staff', (each) => {
	const decision = decideOverride(
		{ ...ticket, ...each.ticket },
		{ ...history, ...each.history },
		{
			...context,
			...each.context,
		},
	);
	expect(decision).toEqual({
		...{ kind: 'grant', direction: 'entry', allowance: wholeTicket, uses: 1, reentry: false, rung: 'staff', left: 0 },
	});
});

const refused: readonly (Case & { readonly says: Refusal })[] = [
	{ name: 'a revoked ticket', history: { revoked: true }, says: { reason: 'revoked' } },
	{ name: 'a ticket of another event', ticket: { evt: 'opera' }, says: { reason: 'wrong_event', evt: 'opera' } },
	{ name: 'anything on a disabled device', context: { standing: 'disabled' }, says: { reason: 'offline_refused' } },
];

test.each(refused)('nobody admits $name', (each) => {
	const decision = decideOverride(
		{ ...ticket, ...each.ticket },
		{ ...history, ...each.history },
		{
			...context,
			...each.context,
		},
	);
	expect(decision).toEqual({ kind: 'deny', refusal: each.says });
});

test('an override holds as many uses as people enter, also beyond what is left', () => {
	const over = { ...context, people: 4 };
	expect(decideOverride({ ...ticket, use: 3 }, history, over)).toMatchObject({ uses: 4, left: 0, rung: 'staff' });
	expect(decideOverride({ ...ticket, use: 9 }, { ...history, used: 9 }, over)).toMatchObject({ uses: 4, left: 0 });
});

test('what proves no ticket can never be overridden', () => {
	for (const reason of ['unreadable', 'not_a_ticket', 'bad_signature', 'unknown_key'] as const) {
		expect(canOverride(reason)).toBe(false);
	}
});

test('people that staff have counted enter together, in any class, or are told how many may', () => {
	const group = { ...ticket, use: 10 };
	const eight = decide(group, { ...history, used: 1 }, { ...context, people: 8 });
	expect(eight).toMatchObject({ kind: 'grant', uses: 8, left: 1 });
	const three = decide(group, { ...history, used: 8 }, { ...context, people: 3 });
	expect(three).toEqual({ kind: 'deny', refusal: { reason: 'no_uses_left', use: 10, left: 2 } });
});
