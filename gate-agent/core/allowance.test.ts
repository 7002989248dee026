import { expect, test } from 'vitest';
import { allowanceOf } from './allowance.ts';
import { type ClassPolicy, classPolicyDefaults, classPolicyOf, type Policy } from './policy.ts';
import { type Ticket, ticketId } from './ticket.ts';

const adult: Ticket = { id: ticketId('lantern-2026', 7), evt: 'lantern-2026', idx: 7, cls: 'adult', use: 1 };

const policyOf = (rules: Partial<ClassPolicy> = {}, more: Partial<Policy> = {}): Policy => ({
	...{ evt: 'lantern-2026', timeZone: 'Asia/Shanghai', dayStartsAtMinutes: 240, sessions: {}, unknownClass: 'staff' },
	classes: { adult: { ...classPolicyDefaults, ...rules } },
	...more,
});

test('an allowance is the ticket, the venue day, the session or the zone', () => {
	// 03:00 at the venue, whose day starts at four.
	const here = { nowMs: Date.UTC(2026, 10, 21, 19), zone: 'hall-2' };
	const of = (allowance: ClassPolicy['allowance'], ticket = adult) =>
		allowanceOf(ticket, policyOf({ allowance }), here);
	expect(of('ticket')).toBe('ticket');
	expect(of('day')).toBe('day:2026-11-21');
	expect(of('zone')).toBe('zone:hall-2');
	expect(of('session', { ...adult, ses: 'evening' })).toBe('session:evening');
	expect(of('session')).toBe('ticket');
	expect(allowanceOf({ ...adult, cls: 'vip' }, policyOf({ allowance: 'day' }), here)).toBe('ticket');
});

test('a class without an entry is ordinary or goes to staff, as the policy says', () => {
	expect(classPolicyOf(policyOf({}, { unknownClass: 'admit' }), 'vip')).toEqual(classPolicyDefaults);
	expect(classPolicyOf(policyOf(), 'vip')).toBeUndefined();
	expect(classPolicyOf(policyOf(), '__proto__')).toBeUndefined();
});
