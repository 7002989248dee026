import { describe, expect, test } from 'vitest';
import { scanBytesMax } from '../../../gate-agent/core/scan.ts';
import { createFramer } from './framed-text.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

describe('framed text', () => {
	test('joins pieces up to CR, LF or both, and keeps double spaces', () => {
		const framer = createFramer();
		expect(framer.push(utf8('SW1:A  '))).toEqual([]);
		expect(framer.push(utf8('  B\r\nSW1:C\rSW1:D\nSW'))).toEqual([
			{ kind: 'code', text: 'SW1:A    B' },
			{ kind: 'code', text: 'SW1:C' },
			{ kind: 'code', text: 'SW1:D' },
		]);
		expect(framer.pause()).toEqual([{ kind: 'code', text: 'SW' }]);
		expect(framer.pause()).toEqual([]);
	});

	test('puts a character together that two pieces share', () => {
		const framer = createFramer();
		const bytes = utf8('灯');
		framer.push(bytes.subarray(0, 1));
		framer.push(bytes.subarray(1));
		expect(framer.pause()).toEqual([{ kind: 'code', text: '灯' }]);
	});

	test('tells once of a code that is too long or no text, and reads the next', () => {
		const framer = createFramer();
		expect(framer.push(utf8(`${'A'.repeat(scanBytesMax)}\n`))).toHaveLength(1);
		expect(framer.push(utf8('A'.repeat(scanBytesMax + 1)))).toEqual([]);
		expect(framer.push(utf8('A\nSW1:C\n'))).toEqual([{ kind: 'unreadable' }, { kind: 'code', text: 'SW1:C' }]);
		expect(framer.push(Uint8Array.of(0xff, 0x0a))).toEqual([{ kind: 'unreadable' }]);
	});
});
