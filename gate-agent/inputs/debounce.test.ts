import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Contact, missSample, sampleContact } from './debounce.ts';

/** Runs samples `[atMs, active]` and gives the states after each; `undefined` is a missed sample. */
function run(debounceMs: number, samples: readonly (readonly [number, boolean] | undefined)[]): boolean[] {
	let contact: Contact = { active: false };
	return samples.map((sample) => {
		contact = sample ? sampleContact(contact, { atMs: sample[0], active: sample[1] }, debounceMs) : missSample(contact);
		return contact.active;
	});
}

describe('a contact', () => {
	it('follows once the other state has lasted for the debounce time', () => {
		expect(
			run(100, [
				[0, true],
				[60, true],
				[99, true],
				[100, true],
			]),
		).toEqual([false, false, false, true]);
	});

	it('ignores a bounce, and starts the time anew after it', () => {
		const samples = [
			[0, true],
			[60, true],
			[80, false],
			[90, true],
			[180, true],
			[190, true],
		] as const;
		expect(run(100, samples)).toEqual([false, false, false, false, false, true]);
	});

	it('follows at once without a debounce time', () => {
		expect(
			run(0, [
				[0, true],
				[1, false],
			]),
		).toEqual([true, false]);
	});

	it('does not count the time in which it was not seen', () => {
		expect(run(100, [[0, true], undefined, [150, true], [250, true]])).toEqual([false, false, false, true]);
	});

	it('never changes twice within the debounce time, and ends in the state that lasts', () => {
		const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.boolean()), { maxLength: 60 });
		fc.assert(
			fc.property(steps, fc.integer({ min: 1, max: 200 }), fc.boolean(), (gaps, debounceMs, last) => {
				let atMs = 0;
				const samples = gaps.map(([gap, active]): [number, boolean] => {
					atMs += gap;
					return [atMs, active];
				});
				const settled = [...samples, [atMs + 1, last], [atMs + 1 + debounceMs, last]] as [number, boolean][];
				const states = run(debounceMs, settled);
				const changes = settled.filter((_, i) => states[i] !== (states[i - 1] ?? false)).map(([at]) => at);
				expect(changes.every((at, i) => i === 0 || at - (changes[i - 1] ?? 0) >= debounceMs)).toBe(true);
				expect(states.at(-1)).toBe(last);
			}),
		);
	});
});
