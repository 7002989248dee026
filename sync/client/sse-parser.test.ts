import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoff } from './backoff.ts';
import { createSseParser, type StreamEvent, streamEventCharsMax } from './sse-parser.ts';

function parsed(chunks: readonly Uint8Array[]): readonly StreamEvent[] {
	const parse = createSseParser();
	return chunks.flatMap((chunk) => {
		const events = parse(chunk);
		return events === 'overflow' ? [] : events;
	});
}

describe('a stream of events', () => {
	test('reads the same however it is cut, with any end of line', () => {
		const text = fc.string({ unit: 'grapheme' }).map((each) => each.replaceAll(/[\r\n\uFEFF\p{Cs}]/gu, ''));
		const end = fc.constantFrom('\n', '\r', '\r\n');
		fc.assert(
			fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), end, fc.array(fc.nat(400)), (texts, eol, cuts) => {
				const whole = texts.map((each) => `:${eol}id: 1${eol}data: ${each}${eol}${eol}`).join('');
				// A line's feed after its return may come late, so a last one shows where the stream stands.
				const bytes = new TextEncoder().encode(`${whole}:${eol}`);
				const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
				const chunks = at.slice(1).map((to, i) => bytes.slice(at[i], to));
				const data = parsed(chunks).flatMap((event) => (event.kind === 'data' ? [event.data] : []));
				expect(data).toEqual(texts);
			}),
		);
	});

	test('joins lines of one event, and takes comments as signs of life', () => {
		const bytes = new TextEncoder().encode(':\n\ndata: a\ndata:b\nevent: x\n\n');
		expect(parsed([bytes])).toEqual([{ kind: 'heartbeat' }, { kind: 'data', data: 'a\nb' }]);
	});

	test('without an end is cut', () => {
		const parse = createSseParser();
		const line = new TextEncoder().encode('x'.repeat(1024 * 1024));
		const answers = Array.from({ length: streamEventCharsMax / line.length + 1 }, () => parse(line));
		expect(answers.at(-1)).toBe('overflow');
	});
});

describe('a backoff', () => {
	test('doubles up to its longest, each wait between half and whole', () => {
		fc.assert(
			fc.property(fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), (chance) => {
				const waits = backoff({ firstMs: 500, maxMs: 30_000, random: () => chance.next().value ?? 0 });
				for (const wholeMs of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
					const wait = waits.next().value;
					expect(wait).toBeGreaterThanOrEqual(wholeMs / 2);
					expect(wait).toBeLessThanOrEqual(wholeMs);
				}
			}),
		);
	});
});
