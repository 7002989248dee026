import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseStrictJson } from './strict-json.ts';

describe('strict JSON', () => {
	test.each([
		['{}', {}],
		[' { "a" : [ 1 , -2 , true , null , "x" ] }\n', { a: [1, -2, true, null, 'x'] }],
		['{"\\u0061":1}', { a: 1 }],
		['{"a":{"a":1},"b":[{"a":1},{"a":1}]}', { a: { a: 1 }, b: [{ a: 1 }, { a: 1 }] }],
		['{"a":"1.0 {\\"a\\":1e3}"}', { a: '1.0 {"a":1e3}' }],
		['{"a":"\\ud83c\\udfee"}', { a: '🏮' }],
		['{"n":9007199254740991}', { n: 9007199254740991 }],
	])('reads %s', (text, value) => expect(parseStrictJson(text)).toEqual(value));

	test.each([
		['{"a":1,"a":1}', 'the same name twice'],
		['{"a":1,"\\u0061":1}', 'the same name twice, once escaped'],
		['{"b":{"a":1,"a":2}}', 'the same name twice, inside'],
		['{"a":1.0}', 'a fraction'],
		['{"a":1e3}', 'an exponent'],
		['{"a":-0}', 'a negative zero'],
		['{"a":9007199254740993}', 'an integer that cannot be held'],
		['{"a":"\\ud800"}', 'a lone surrogate'],
		['{"\\ud800":1}', 'a name with a lone surrogate'],
		['[1]', 'an array'],
		['null', 'no object'],
		['{"a":1}{"b":1}', 'two objects'],
		['{"a":1} x', 'a tail'],
		['\ufeff{"a":1}', 'a byte order mark'],
		['{"a":1,}', 'a comma too many'],
		["{'a':1}", 'single quotes'],
		['{"a":01}', 'a leading zero'],
		['{"a":"\n"}', 'a raw line feed in a string'],
		['{"a', 'a torn name'],
		['', 'nothing'],
	])('refuses %s (%s)', (text) => expect(parseStrictJson(text)).toBeUndefined());

	test('reads 8 levels and refuses 9', () => {
		const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
		expect(parseStrictJson(nested(8))).toBeDefined();
		expect(parseStrictJson(nested(9))).toBeUndefined();
		expect(parseStrictJson('['.repeat(100_000))).toBeUndefined();
	});

	test('agrees with JSON.parse on every object it reads, and never throws', () => {
		const object = fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.string(), fc.array(fc.boolean())));
		fc.assert(
			fc.property(object, fc.nat(), fc.string({ maxLength: 3 }), (value, place, noise) => {
				const text = JSON.stringify(value);
				expect(parseStrictJson(text)).toEqual(JSON.parse(text));
				const at = place % text.length;
				const torn = text.slice(0, at) + noise + text.slice(at + 1);
				const read = parseStrictJson(torn);
				if (read) expect(read).toEqual(JSON.parse(torn));
			}),
		);
	});
});
