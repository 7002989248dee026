import { ticketIdxMax } from './ticket.ts';

/** The printed form: the number, a hyphen, two check digits. Staff may leave the hyphen out or type a space. */
const typed = /^(0|[1-9]\d{0,9})[- ]?(\d{2})$/;

/**
 * Writes a ticket's number for staff to type, e.g. `4711` as `4711-30`. The two check digits of ISO/IEC 7064
 * MOD 97-10 find every wrong digit, every swap of neighbors and 98 of 99 other slips.
 */
export function formatTicketNumber(idx: number): string {
	return `${idx}-${checkDigits(idx)}`;
}

/** Reads a typed ticket number, or gives undefined where a digit is wrong or missing. */
export function parseTicketNumber(text: string): number | undefined {
	const match = typed.exec(text.trim());
	if (!match) return undefined;
	const idx = Number(match[1]);
	return idx <= ticketIdxMax && checkDigits(idx) === match[2] ? idx : undefined;
}

/** Chosen so that number and check digits together leave 1 modulo 97. */
function checkDigits(idx: number): string {
	return String(98 - ((idx * 100) % 97)).padStart(2, '0');
}
