import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyChanges, bitPlace, isBitSet, pageChanges, type SparsePages } from './sparse-pages.ts';

const idx = fc.oneof(fc.nat(20_000), fc.constantFrom(0, 7, 8, 4095, 4096, 2 ** 31 - 1));

test('pages hold what a set of numbers would hold, and no page that is empty', () => {
	const steps = fc.array(fc.record({ set: fc.array(idx), clear: fc.array(idx) }), { maxLength: 6 });
	fc.assert(
		fc.property(steps, (changes) => {
			const pages: SparsePages = new Map();
			const numbers = new Set<number>();
			for (const { set, clear } of changes) {
				applyChanges(pages, pageChanges(set, clear));
				for (const n of set) numbers.add(n);
				for (const n of clear) numbers.delete(n);
			}
			for (const n of [...numbers, ...changes.flatMap(({ clear }) => clear)]) {
				expect(isBitSet(pages.get(bitPlace(n).page), n)).toBe(numbers.has(n));
			}
			expect(new Set(pages.keys())).toEqual(new Set([...numbers].map((n) => bitPlace(n).page)));
		}),
	);
});

test('a bit lies where a Token Status List of one bit has it', () => {
	expect(bitPlace(0)).toEqual({ page: 0, byte: 0, mask: 1 });
	expect(bitPlace(15)).toEqual({ page: 0, byte: 1, mask: 128 });
	expect(bitPlace(4096 * 3 + 9)).toEqual({ page: 3, byte: 1, mask: 2 });
	expect(bitPlace(2 ** 31 - 1)).toEqual({ page: 524_287, byte: 511, mask: 128 });
});

test.each([-1, 0.5, Number.NaN, 2 ** 31])('no ticket has the number %s', (n) => {
	expect(() => bitPlace(n)).toThrow('out of range');
});
