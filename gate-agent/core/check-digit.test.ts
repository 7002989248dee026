import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatTicketNumber, parseTicketNumber } from './check-digit.ts';
import { ticketIdxMax } from './ticket.ts';

const idx = fc.oneof(fc.integer({ min: 0, max: ticketIdxMax }), fc.integer({ min: 0, max: 999 }));

describe('a ticket number that staff type', () => {
	test('has the check digits of ISO/IEC 7064 MOD 97-10', () => {
		// The standard's own example: 794 with check digits 44.
		expect(formatTicketNumber(794)).toBe('794-44');
		expect(formatTicketNumber(0)).toBe('0-98');
	});

	test('is read with a hyphen, a space or neither', () => {
		fc.assert(
			fc.property(idx, fc.constantFrom('-', ' ', ''), (number, separator) => {
				const typed = formatTicketNumber(number).replace('-', separator);
				expect(parseTicketNumber(` ${typed} `)).toBe(number);
			}),
		);
	});

	test('is refused with any one digit wrong', () => {
		fc.assert(
			fc.property(idx, fc.nat(11), fc.integer({ min: 1, max: 9 }), (number, place, off) => {
				const digits = [...formatTicketNumber(number).replace('-', '')];
				const at = place % digits.length;
				digits[at] = String((Number(digits[at]) + off) % 10);
				expect(parseTicketNumber(digits.join(''))).toBeUndefined();
			}),
		);
	});

	test('is refused with any two neighbors swapped', () => {
		fc.assert(
			fc.property(idx, fc.nat(11), (number, place) => {
				const digits = [...formatTicketNumber(number).replace('-', '')];
				const at = place % (digits.length - 1);
				const [left = '', right = ''] = digits.slice(at, at + 2);
				fc.pre(left !== right);
				digits.splice(at, 2, right, left);
				expect(parseTicketNumber(digits.join(''))).toBeUndefined();
			}),
		);
	});

	test.each(['', '-', '98', '00-98', '04711-10', '4711', '2147483648-00', '4711-1O', '47 11-10', '9'.repeat(400)])(
		'is refused as %j',
		(typed) => expect(parseTicketNumber(typed)).toBeUndefined(),
	);
});
