import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { splitTicketId } from '../../../gate-agent/core/ledger-rules.ts';
import { type TicketId, ticketIdxMax } from '../../../gate-agent/core/ticket.ts';
import { allowanceName, laneName, redemptionId } from '../../protocol/fields.ts';
import type { Outcome } from '../rights.ts';

const ticket = Type.String({ pattern: '^[a-z0-9-]{1,32}/(0|[1-9][0-9]{0,9})$' });
const count = Type.Integer({ minimum: 0, maximum: 10_000 });
const at = Type.Integer({ minimum: 0, maximum: 2 ** 53 - 1 });

const granted = Type.Object({
	kind: Type.Literal('granted'),
	at,
	redemption: redemptionId,
	ticket,
	allowance: allowanceName,
	uses: count,
	use: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
	reentry: Type.Optional(Type.Literal(true)),
	rung: Type.Enum(['authority', 'local', 'home', 'staff']),
	lane: laneName,
	// What people wrote moves no right: a text that is none is left out, and the row still counts.
	by: Type.Optional(Type.Unknown()),
	reason: Type.Optional(Type.Unknown()),
});

const settled = Type.Object({
	kind: Type.Literal('settled'),
	at,
	redemption: redemptionId,
	taken: count,
	back: count,
	late: Type.Optional(Type.Literal(true)),
	lane: laneName,
	by: Type.Optional(Type.Unknown()),
});

const released = Type.Object({ kind: Type.Literal('released'), at, redemption: redemptionId, lane: laneName });

const fact = Compile(Type.Union([granted, settled, released]));

/** A row that says what became of a redemption. */
export interface RedemptionFact {
	readonly redemption: string;
	readonly lane: string;
	readonly atMs: number;
	readonly outcome: Outcome;
	/** The person who did it by hand, and that person's words. */
	readonly by?: string;
	readonly reason?: string;
	/** What a granted row says of its ticket. */
	readonly grant?: {
		readonly evt: string;
		readonly idx: number;
		readonly allowance: string;
		readonly use: number;
		readonly rung: string;
	};
}

/**
 * What a journal row says of a redemption; undefined for every other kind of row and for one that is not well formed: a
 * device's signature proves who wrote a row, not that it makes sense. Such a row is kept and moves no right.
 */
export function redemptionFact(text: string): RedemptionFact | undefined {
	const row = parsed(text);
	if (!fact.Check(row)) return undefined;
	const { redemption, lane, at: atMs } = row;
	const common = { redemption, lane, atMs };
	if (row.kind === 'released') return { ...common, outcome: { kind: 'released' } };
	if (row.kind === 'settled') {
		const { taken, back, late = false, by } = row;
		return { ...common, ...person({ by }), outcome: { kind: 'settled', taken, back, late, lane, atMs } };
	}
	return grantOf(row, common);
}

function grantOf(
	row: Static<typeof granted>,
	common: Pick<RedemptionFact, 'redemption' | 'lane' | 'atMs'>,
): RedemptionFact | undefined {
	const { ticket: id, allowance, uses, use = 1, reentry = false, rung } = row;
	if (Number(id.slice(id.lastIndexOf('/') + 1)) > ticketIdxMax) return undefined;
	// The pattern has just proven that it is one.
	const { evt, idx } = splitTicketId(id as TicketId);
	return {
		...common,
		...person(row),
		outcome: { kind: 'granted', uses, reentry, lane: common.lane, atMs: common.atMs },
		grant: { evt, idx, allowance, use, rung },
	};
}

/** The longest name and the longest reason that are kept. */
const byMax = 64;
const reasonMax = 200;

function person(row: { readonly by?: unknown; readonly reason?: unknown }): Pick<RedemptionFact, 'by' | 'reason'> {
	const { by, reason } = row;
	return {
		...(isText(by, byMax) && { by }),
		...(isText(reason, reasonMax) && { reason }),
	};
}

/** PostgreSQL keeps no NUL in a text. */
function isText(value: unknown, max: number): value is string {
	return typeof value === 'string' && value !== '' && value.length <= max && !value.includes('\0');
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
