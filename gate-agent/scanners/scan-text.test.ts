import { expect, test } from 'vitest';
import { scanOf } from './scan-text.ts';

const frame = (...parts: (string | number)[]) => ({
	kind: 'frame' as const,
	bytes: Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : [part]))),
});

test('an AIM identifier leaves the text and is told', () => {
	expect(scanOf(frame(']Q1SW1:A  B'), 'strip', 7)).toEqual({ kind: 'code', text: 'SW1:A  B', aim: ']Q1', atMs: 7 });
});

test('an AIM identifier stays where the scanner sends none', () => {
	expect(scanOf(frame(']Q1A'), 'keep', 0)).toEqual({ kind: 'code', text: ']Q1A', atMs: 0 });
});

test.each([']', ']Q', '] Q1A', 'A]Q1', ']1QA'])('%j is not taken for an AIM identifier', (text) => {
	expect(scanOf(frame(text), 'strip', 0)).toEqual({ kind: 'code', text, atMs: 0 });
});

test('an AIM identifier alone is no scan', () => {
	expect(scanOf(frame(']Q1'), 'strip', 0)).toBeUndefined();
});

test('UTF-8 is read as such, a byte order mark kept', () => {
	expect(scanOf(frame('\uFEFF灯会 ticket'), 'strip', 0)).toMatchObject({ text: '\uFEFF灯会 ticket' });
});

test('bytes that are not UTF-8 become one character each', () => {
	expect(scanOf(frame('A', 0xff, 0x80, 0x9f, 0), 'strip', 0)).toMatchObject({ text: 'A\xff\x80\x9f\0' });
});

test('what was torn or too long is unreadable', () => {
	expect(scanOf({ kind: 'torn', length: 12 }, 'strip', 3)).toEqual({ kind: 'unreadable', bytes: 12, atMs: 3 });
	expect(scanOf({ kind: 'oversize', length: 4097 }, 'strip', 3)).toEqual({ kind: 'unreadable', bytes: 4097, atMs: 3 });
});
