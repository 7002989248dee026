import { type Ticket, ticketId, ticketIdxMax, ticketUseMax } from './ticket.ts';

/** The claims of a ticket as an issuer writes them. Times are NumericDates in whole seconds (RFC 7519). */
export interface TicketClaims {
	readonly evt: string;
	readonly idx: number;
	readonly cls: string;
	/** Required, like `exp`, unless `ses` names a session. */
	readonly nbf?: number;
	readonly exp?: number;
	readonly ses?: string;
	/** Any order, none twice. */
	readonly zon?: readonly string[];
	readonly use?: number;
	readonly home?: string;
	readonly seat?: string;
	/** The holder's key (RFC 7800); only in the JSON form. */
	readonly cnf?: Readonly<Record<string, unknown>>;
}

/** What reading claims gives: a ticket, or the first claim that is wrong and what it must be. */
export type ClaimsRead =
	| { readonly kind: 'ticket'; readonly ticket: Ticket }
	| { readonly kind: 'problem'; readonly claim: string; readonly must: string };

/** The largest NumericDate: the last second of the year 9999. */
export const numericDateMax = 253_402_300_799;

/** The most zones that one ticket names. */
export const ticketZonesMax = 16;

interface Rule {
	readonly holds: (value: unknown) => boolean;
	readonly must: string;
}

const name: Rule = matching(/^[a-z0-9_-]{1,32}$/, 'be 1 to 32 characters of a-z, 0-9, _ and -');
const numericDate: Rule = integerFrom(0, numericDateMax, 'be a NumericDate in whole seconds');

/** Letters, marks, numbers, punctuation and spaces; no control, format (bidi) or private-use characters. */
const seatText = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]{1,64}$/u;

const rules: Readonly<Record<keyof TicketClaims, Rule>> = {
	evt: matching(/^[a-z0-9-]{1,32}$/, 'be 1 to 32 characters of a-z, 0-9 and -'),
	idx: integerFrom(0, ticketIdxMax, `be an integer from 0 to ${ticketIdxMax}`),
	cls: name,
	nbf: numericDate,
	exp: numericDate,
	ses: name,
	zon: { holds: isZones, must: `be 1 to ${ticketZonesMax} different names of a-z, 0-9, _ and -` },
	use: integerFrom(1, ticketUseMax, `be an integer from 1 to ${ticketUseMax}`),
	home: name,
	seat: matching(seatText, 'be 1 to 64 characters without control characters'),
	cnf: { holds: isConfirmation, must: 'be an object with the key of the holder (RFC 7800)' },
};

/** The names of all claims that a ticket can have. */
// Object.keys gives string[]; the record's type has exactly these keys.
export const claimNames = Object.keys(rules) as readonly (keyof TicketClaims)[];

const required: readonly (keyof TicketClaims)[] = ['evt', 'idx', 'cls'];

/** Checks claims against their limits and makes the ticket of them. Members that are no claim are not looked at. */
export function readClaims(claims: Readonly<Record<string, unknown>>): ClaimsRead {
	for (const claim of claimNames) {
		const value = own(claims, claim);
		if (value === undefined ? required.includes(claim) : !rules[claim].holds(value)) {
			return { kind: 'problem', claim, must: rules[claim].must };
		}
	}
	// Every rule holds, so the members have the types of the claims.
	return windowProblem(claims as unknown as TicketClaims) ?? toTicket(claims as unknown as TicketClaims);
}

function windowProblem({ nbf, exp, ses }: TicketClaims): ClaimsRead | undefined {
	if (ses === undefined && nbf === undefined) return problem('nbf', 'be there, unless `ses` names a session');
	if (ses === undefined && exp === undefined) return problem('exp', 'be there, unless `ses` names a session');
	if (nbf !== undefined && exp !== undefined && exp <= nbf) return problem('exp', 'lie after `nbf`');
	return undefined;
}

function toTicket(claims: TicketClaims): ClaimsRead {
	const { evt, idx, cls, nbf, exp, ses, zon, use, home, seat, cnf } = claims;
	const ticket: Ticket = {
		id: ticketId(evt, idx),
		evt,
		idx,
		cls,
		...(nbf !== undefined && { nbf }),
		...(exp !== undefined && { exp }),
		...(ses !== undefined && { ses }),
		...(zon !== undefined && { zon: [...zon].sort() }),
		use: use ?? 1,
		...(home !== undefined && { home }),
		...(seat !== undefined && { seat }),
		...(cnf !== undefined && { holderBound: true as const }),
	};
	return { kind: 'ticket', ticket };
}

function problem(claim: string, must: string): ClaimsRead {
	return { kind: 'problem', claim, must };
}

function own(claims: Readonly<Record<string, unknown>>, claim: string): unknown {
	return Object.hasOwn(claims, claim) ? claims[claim] : undefined;
}

function matching(pattern: RegExp, must: string): Rule {
	return { holds: (value) => typeof value === 'string' && pattern.test(value), must };
}

function integerFrom(min: number, max: number, must: string): Rule {
	return { holds: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max, must };
}

function isZones(value: unknown): boolean {
	if (!Array.isArray(value) || value.length < 1 || value.length > ticketZonesMax) return false;
	return value.every(name.holds) && new Set(value).size === value.length;
}

function isConfirmation(value: unknown): boolean {
	return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
}
