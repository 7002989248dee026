import { beforeEach, describe, expect, it } from 'vitest';
import { createTurnstile, type Turnstile } from './turnstile.ts';

describe('a turnstile in pulse mode', () => {
	let now: number;
	let due: { readonly atMs: number; readonly callback: () => void }[];
	let contacts: string[];
	let turnstile: Turnstile;

	/** Lets time pass, calling back in order. */
	const pass = (ms: number) => {
		const until = now + ms;
		for (;;) {
			const next = due.filter(({ atMs }) => atMs <= until).sort((a, b) => a.atMs - b.atMs)[0];
			if (next === undefined) break;
			due = due.filter((each) => each !== next);
			now = next.atMs;
			next.callback();
		}
		now = until;
	};
	const pulse = (ms = 300) => {
		turnstile.coil('entry', true);
		pass(ms);
		turnstile.coil('entry', false);
	};

	beforeEach(() => {
		now = 0;
		due = [];
		contacts = [];
		turnstile = createTurnstile({
			schedule(ms, callback) {
				const each = { atMs: now + ms, callback };
				due.push(each);
				return () => {
					due = due.filter((other) => other !== each);
				};
			},
			onContact: (contact, active) => contacts.push(`${contact} ${active}`),
		});
	});

	it('is shut at first', () => {
		expect(turnstile.walkThrough('entry')).toBe(false);
		expect(turnstile.passages('entry')).toBe(0);
	});

	it('opens for one visitor after a pulse, and the passage contact tells', () => {
		pulse();
		expect(turnstile.walkThrough('entry')).toBe(true);
		expect(turnstile.walkThrough('entry')).toBe(false);
		pass(1000);
		expect(contacts).toEqual(['passage true', 'passage false']);
		expect(turnstile.passages('entry')).toBe(1);
	});

	it('opens in the direction of the pulse only', () => {
		pulse();
		expect(turnstile.walkThrough('exit')).toBe(false);
	});

	it('waits 5 s for the visitor, however long the pulse was', () => {
		pulse(1000);
		pass(3900);
		expect(turnstile.isOpen('entry')).toBe(true);
		pass(300);
		expect(turnstile.walkThrough('entry')).toBe(false);
	});

	it('does not notice a pulse below 100 ms', () => {
		pulse(90);
		pass(200);
		expect(turnstile.isOpen('entry')).toBe(false);
	});

	it('stays open for a visitor who turns back and comes again', () => {
		pulse();
		expect(turnstile.turnBack('entry')).toBe(true);
		expect(contacts).toEqual([]);
		expect(turnstile.walkThrough('entry')).toBe(true);
	});

	it('lets everyone through while its coil is held, and nobody afterwards', () => {
		turnstile.coil('entry', true);
		pass(2000);
		expect([1, 2, 3].map(() => turnstile.walkThrough('entry'))).toEqual([true, true, true]);
		turnstile.coil('entry', false);
		expect(turnstile.walkThrough('entry')).toBe(false);
		expect(contacts.filter((each) => each === 'passage true')).toHaveLength(3);
	});

	it('opens both ways in a fire, whatever the agent does', () => {
		turnstile.setContact('fire', true);
		expect(turnstile.walkThrough('entry')).toBe(true);
		expect(turnstile.walkThrough('exit')).toBe(true);
		turnstile.setContact('fire', false);
		expect(turnstile.walkThrough('exit')).toBe(false);
	});

	it('tells a visitor who breaks through', () => {
		turnstile.forceThrough('exit');
		expect(turnstile.contacts()).toMatchObject({ passage: false, reverse: true });
		expect(turnstile.passages('exit')).toBe(1);
	});
});
