import { describe, expect, it } from 'vitest';
import { textWidth, wrapText } from './text-width.ts';

describe('the width of a text', () => {
	it('is that of its characters: a Chinese one is as wide as high', () => {
		expect(textWidth('继电器', 10)).toBe(30);
		expect(textWidth('ill', 10)).toBeLessThan(textWidth('COM', 10));
	});

	it('cuts lines between words, and between Chinese characters but never before a full stop', () => {
		expect(wrapText('one two three', 10, textWidth('one two', 10))).toEqual(['one two', 'three']);
		const lines = wrapText('断线等于火警。闸机打开。', 10, 70);
		expect(lines.join('')).toBe('断线等于火警。闸机打开。');
		expect(lines.every((line) => !line.startsWith('。') && textWidth(line, 10) <= 70)).toBe(true);
	});

	it('keeps a word that is wider than the line', () => {
		expect(wrapText('abcdefghij k', 10, 20)).toEqual(['abcdefghij', 'k']);
	});
});
