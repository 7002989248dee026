import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { typingEvents } from '../emulators/keyboard-emulator.ts';
import { endKeys, expireKeys, feedKey, type InputEvent, keyboardStart } from './keyboard-scan.ts';
import { feedAll, textsOf } from './scan-language.suite.ts';

/** The characters of a US keyboard. */
const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
const ticketText = fc.string({ unit: fc.constantFrom(...printable), minLength: 1, maxLength: 200 });

function feed(events: Iterable<InputEvent>, suffix: 'enter' | 'tab' | 'none' = 'enter') {
	return feedAll({ start: keyboardStart, feed: (state, event: InputEvent) => feedKey(state, event, suffix) }, events);
}

describe('a scanner that types', () => {
	it('is read exactly, key by key on a US keyboard', () => {
		fc.assert(
			fc.property(fc.array(ticketText, { maxLength: 4 }), (codes) => {
				expect(textsOf(feed(codes.flatMap((code) => [...typingEvents(`${code}\n`)])).items)).toEqual(codes);
			}),
		);
	});

	it('is read exactly where it spells each character as Alt and digits', () => {
		fc.assert(
			fc.property(ticketText, (code) => {
				expect(textsOf(feed(typingEvents(`${code}\n`, 'alt')).items)).toEqual([code]);
			}),
		);
		expect(textsOf(feed(typingEvents('ünï\n', 'alt')).items)).toEqual(['ünï']);
	});

	it('ends a code with Tab, or by silence, where it is set so', () => {
		expect(textsOf(feed(typingEvents('A B\t'), 'tab').items)).toEqual(['A B']);
		const { state, items: frames } = feed(typingEvents('A  B'), 'none');
		expect(frames).toEqual([]);
		expect(textsOf(endKeys(state)[1])).toEqual(['A  B']);
	});

	it('gives no code of which the kernel lost a key, and the next one whole', () => {
		const lost: InputEvent = { type: 0, code: 3, value: 0 };
		const events = [...typingEvents('HALF'), lost, ...typingEvents('REST\n'), ...typingEvents('GOOD\n')];
		expect(textsOf(feed(events).items)).toEqual(['torn', 'GOOD']);
	});

	it('drops a code whose end does not come, and one without an end', () => {
		expect(textsOf(expireKeys(feed(typingEvents('HALF')).state)[1])).toEqual(['torn']);
		const { state, items: frames } = feed(typingEvents('x'.repeat(20_000)));
		expect(textsOf(frames)).toEqual(['oversize']);
		expect(state.text.length).toBe(0);
	});

	it('never throws on any events', () => {
		const event = fc.record({ type: fc.nat(5), code: fc.nat(300), value: fc.integer({ min: -1, max: 3 }) });
		fc.assert(
			fc.property(fc.array(event, { maxLength: 300 }), fc.constantFrom('enter', 'tab', 'none'), (events, suffix) => {
				feed(events, suffix as 'enter');
			}),
		);
	});
});
