import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expire, type Frame, type Framing, feed, framingStart } from './framing.ts';
import { feedAll } from './scan-language.suite.ts';

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));
const framing = (prefix: string, suffix: string, frameBytesMax = 40): Framing => ({
	prefix: bytes(prefix),
	suffix: bytes(suffix),
	frameBytesMax,
});

/** Frames as short text: a code in quotes, else what was found and how long it was. */
const show = (frames: readonly Frame[]) =>
	frames.map((frame) =>
		frame.kind === 'frame' ? `'${Buffer.from(frame.bytes).toString('latin1')}'` : `${frame.kind} ${frame.length}`,
	);

function feedChunks(by: Framing, chunks: readonly Uint8Array[]) {
	return feedAll({ start: framingStart, feed: (state, chunk: Uint8Array) => feed(by, state, chunk) }, chunks);
}

/** What it shows, the framing, the stream as text, the frames as `show` writes them. */
type Row = [string, Framing, string, string[]];

const cr = framing('', '\r');
const lf = framing('', '\n');
const crlf = framing('', '\r\n');
const tab = framing('', '\t');
const stx = framing('\x02', '\x03');
const none = framing('', '');
const literal = framing('Q:', '##');

describe('frames', () => {
	test.each<Row>([
		['one code', cr, 'ABC\r', ["'ABC'"]],
		['codes that were joined', cr, 'ABC\rDEF\rGH', ["'ABC'", "'DEF'"]],
		['leading, double and trailing spaces, which belong to a ticket', cr, '  A  B  \r', ["'  A  B  '"]],
		['a tab inside a code', cr, 'A\tB\r', ["'A\tB'"]],
		['no empty code', cr, '\r\r\rA\r\r', ["'A'"]],
		['CR LF from a module that is set to CR', cr, 'A\r\nB\r\n', ["'A'", "'B'"]],
		['CR LF from a module that is set to LF', lf, 'A\r\nB\n\r\n', ["'A'", "'B'"]],
		['CR LF', crlf, 'A\r\n\r\nB\r\n', ["'A'", "'B'"]],
		['a lone CR inside a code that ends with CR LF', crlf, 'A\rB\r\r\n', ["'A\rB\r'"]],
		['a tab', tab, '\rA\t', ["'\rA'"]],
		['STX and ETX, and drops what lies between', stx, 'x\x02A B\x03\r\nnoise\x02C\x03', ["'A B'", "'C'"]],
		['the last STX, after a code that was torn', stx, '\x02TORN\x02WHOLE\x03', ["'WHOLE'"]],
		['a prefix of letters inside a code', literal, 'Q:AQ:B##', ["'AQ:B'"]],
		['a prefix that begins like noise', literal, 'QQ:A##QQQ:B##', ["'A'", "'B'"]],
		['a suffix that begins inside the code', literal, 'Q:A#B###', ["'A#B'"]],
		['NUL and control noise', cr, '\x00\x01\xff\r', ["'\x00\x01\xff'"]],
		['the longest code', cr, `${'x'.repeat(40)}\r`, [`'${'x'.repeat(40)}'`]],
		['the longest code before a suffix of two', crlf, `${'x'.repeat(40)}\r\n`, [`'${'x'.repeat(40)}'`]],
		['one byte too many, then a good code', cr, `${'x'.repeat(41)}\rOK\r`, ['oversize 41', "'OK'"]],
		['one byte too many before a suffix of two', crlf, `${'x'.repeat(41)}\r\nOK\r\n`, ['oversize 41', "'OK'"]],
		['one oversize for a run of any length', cr, `${'x'.repeat(9999)}\rOK\r`, ['oversize 41', "'OK'"]],
		['an STX that ends an oversize run', stx, `\x02${'x'.repeat(99)}\x02OK\x03`, ['oversize 41', "'OK'"]],
		['nothing from noise before a prefix', stx, 'x'.repeat(9999), []],
		['nothing without a suffix before the silence', none, 'ABC', []],
	])('give %s', (...[, by, text, expected]) => {
		expect(show(feedChunks(by, [bytes(text)]).items)).toEqual(expected);
	});
});

describe('silence', () => {
	test.each<Row>([
		['ends a code that has no suffix', none, 'ABC\r', ["'ABC\r'"]],
		['is nothing where nothing was', none, '', []],
		['drops a torn code', cr, 'SW1:TORNHALF', ['torn 12']],
		['drops a few bytes of noise without a word', cr, '\x00\xff', []],
		['ends an oversize run, which was told already', cr, 'x'.repeat(99), []],
		['drops a prefix that stays alone', stx, '\x02', []],
	])('%s', (...[, by, text, expected]) => {
		const [state, frames] = expire(by, feedChunks(by, [bytes(text)]).state);
		expect(show(frames)).toEqual(expected);
		expect(state).toEqual(framingStart);
	});

	test('keeps a torn half from joining the next code', () => {
		const [state] = expire(cr, feedChunks(cr, [bytes('TORN-HALF-CODE')]).state);
		expect(show(feed(cr, state, bytes('GOOD\r'))[1])).toEqual(["'GOOD'"]);
	});
});

/** Streams made mostly of the bytes that framing is about. */
const stream = fc
	.array(fc.constantFrom('\r', '\n', '\t', '\x02', '\x03', '#', 'Q', ':', ' ', 'A', 'x'.repeat(41), '\0', '\xff'), {
		maxLength: 60,
	})
	.map((parts) => bytes(parts.join('')));
const anyFraming = fc.constantFrom(cr, lf, crlf, tab, stx, none, literal);

describe('any stream', () => {
	test('gives the same frames however it is cut', () => {
		fc.assert(
			fc.property(anyFraming, stream, fc.array(fc.nat(200), { maxLength: 12 }), (by, data, cuts) => {
				const edges = [0, ...cuts.map((cut) => Math.min(cut, data.length)).sort((a, b) => a - b), data.length];
				const chunks = edges.slice(1).map((end, index) => data.subarray(edges[index], end));
				expect(feedChunks(by, chunks)).toEqual(feedChunks(by, [data]));
				expect(
					feedChunks(
						by,
						Array.from(data, (byte) => Uint8Array.of(byte)),
					),
				).toEqual(feedChunks(by, [data]));
			}),
		);
	});

	test('never holds more than one frame and its marks', () => {
		fc.assert(
			fc.property(anyFraming, fc.array(stream, { maxLength: 8 }), (by, chunks) => {
				const { state, items: frames } = feedChunks(by, chunks);
				expect(state.pending.length).toBeLessThanOrEqual(by.frameBytesMax + by.suffix.length);
				for (const frame of frames) {
					if (frame.kind === 'frame') expect(frame.bytes.length).toBeLessThanOrEqual(by.frameBytesMax);
				}
			}),
		);
	});

	test('gives back codes exactly when each carries its marks', () => {
		const code = fc
			.array(fc.constantFrom(' ', 'A', 'b', '9', '-', '_', '.', ':', '/'), { minLength: 1, maxLength: 40 })
			.map((parts) => parts.join(''));
		fc.assert(
			fc.property(fc.constantFrom(cr, lf, crlf, tab, stx), fc.array(code, { maxLength: 10 }), (by, codes) => {
				const mark = (text: Uint8Array) => Buffer.from(text).toString('latin1');
				const sent = codes.map((text) => `${mark(by.prefix)}${text}${mark(by.suffix)}`).join('');
				expect(show(feedChunks(by, [bytes(sent)]).items)).toEqual(codes.map((text) => `'${text}'`));
			}),
		);
	});
});
