import { describe, expect, test } from 'vitest';
import { scanBytesMax } from '../../../gate-agent/core/scan.ts';
import { endTyping, type Typed, type TypedKey, typeKey, typingStart } from './typed-code.ts';

/** Types keys `gapMs` apart; what ended on the way, and what a silence after the last one ends. */
function typed(keys: readonly (string | Partial<TypedKey>)[], gapMs = 10): readonly Typed[] {
	const ended: Typed[] = [];
	let typing = typingStart;
	keys.forEach((each, index) => {
		const given = typeof each === 'string' ? { key: each } : each;
		const key = { key: '', isShortcut: false, isComposing: false, atMs: index * gapMs, ...given };
		const [next, result] = typeKey(typing, key);
		typing = next;
		if (result) ended.push(result);
	});
	const rest = endTyping(typing);
	return rest ? [...ended, rest] : ended;
}

const code = (text: string): Typed => ({ kind: 'code', text });

describe('typed code', () => {
	test('reads a code that ends with Enter, with Tab or with silence', () => {
		expect(typed([...'SW1:AB', 'Enter'])).toEqual([code('SW1:AB')]);
		expect(typed([...'SW1:AB', 'Tab', ...'SW1:CD', 'Enter'])).toEqual([code('SW1:AB'), code('SW1:CD')]);
		expect(typed([...'SW1:AB'])).toEqual([code('SW1:AB')]);
	});

	test('keeps double spaces and characters outside of ASCII, with shift and AltGraph between them', () => {
		expect(typed(['Shift', 'S', 'W', ' ', ' ', 'Shift', '灯', '𝄞', 'AltGraph', '€', 'Enter'])).toEqual([
			code('SW  灯𝄞€'),
		]);
	});

	test('takes slow keys and short bursts for a person', () => {
		expect(typed([...'SW1:ABCDEF', 'Enter'], 50)).toEqual([]);
		expect(typed([...'SW1:ABCDEF', 'Enter'], 49)).toEqual([code('SW1:ABCDEF')]);
		expect(typed([...'hello', 'Enter'])).toEqual([]);
		expect(typed(['Enter'])).toEqual([]);
	});

	test('a shortcut is no text', () => {
		expect(typed([...'SW1:A', { key: 'r', isShortcut: true }, 'B', 'Enter'])).toEqual([]);
	});

	test('says unreadable when a dead key or an input method swallowed part of the code', () => {
		expect(typed([...'SW1:A', 'Dead', 'B', 'Enter'])).toEqual([{ kind: 'unreadable' }]);
		const composed = [...'SW1:AB'].map((key) => ({ key, isComposing: true }));
		expect(typed([...composed, 'Enter'])).toEqual([{ kind: 'unreadable' }]);
	});

	test('drops what is too long as one unreadable code, and reads the next', () => {
		expect(typed([...'A'.repeat(scanBytesMax), 'Enter'])).toEqual([code('A'.repeat(scanBytesMax))]);
		expect(typed([...'A'.repeat(scanBytesMax + 9), 'Enter', ...'SW1:CD', 'Enter'])).toEqual([
			{ kind: 'unreadable' },
			code('SW1:CD'),
		]);
	});
});
