import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rowHash as coreRowHash } from '../../gate-agent/core/journal.ts';
import { rowHash } from './row-hash.ts';

it('gives what the core gives, for any text', () => {
	const text = fc.string({ unit: 'grapheme', maxLength: 5_000 });
	fc.assert(
		fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), text, (previous, row) => {
			expect(Buffer.from(rowHash(previous, row))).toEqual(Buffer.from(coreRowHash(previous, row)));
		}),
		// Half of a pair is no UTF-8: both must put the same mark in its place.
		{ examples: [[new Uint8Array(32), 'a\ud800b\udc00']] },
	);
});
