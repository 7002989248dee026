import Type from 'typebox';
import { Compile } from 'typebox/compile';

const count = Type.Integer({ minimum: 0, maximum: 10_000 });
const at = Type.Integer({ minimum: 0, maximum: 2 ** 53 - 1 });
const ticket = Type.String({ pattern: '^[a-z0-9-]{1,32}/(0|[1-9][0-9]{0,9})$' });

const fact = Compile(
	Type.Union([
		Type.Object({ kind: Type.Literal('settled'), at, ticket, taken: count }),
		Type.Object({ kind: Type.Literal('exited'), at, ticket }),
		Type.Object({ kind: Type.Literal('staff_entry'), at, count }),
		Type.Object({ kind: Type.Literal('passages'), at, direction: Type.Enum(['entry', 'exit']), count }),
	]),
);

/** Rows that may say something of people; all others need not be read for it. */
const kinds = /"kind":"(settled|exited|staff_entry|passages)"/;

/** People who went in or out, as a journal row says. */
export interface PeopleFact {
	/** The event of their ticket; empty for those without one, who are inside every event of the venue. */
	readonly evt: string;
	readonly entered: number;
	readonly left: number;
	readonly atMs: number;
}

/** What a journal row says of people who went in or out; undefined where it says nothing. */
export function peopleFact(text: string): PeopleFact | undefined {
	if (!kinds.test(text)) return undefined;
	const row = parsed(text);
	if (!fact.Check(row)) return undefined;
	switch (row.kind) {
		case 'settled':
			return { evt: eventOf(row.ticket), entered: row.taken, left: 0, atMs: row.at };
		case 'exited':
			return { evt: eventOf(row.ticket), entered: 0, left: 1, atMs: row.at };
		case 'staff_entry':
			return { evt: '', entered: row.count, left: 0, atMs: row.at };
		case 'passages': {
			const isEntry = row.direction === 'entry';
			return { evt: '', entered: isEntry ? row.count : 0, left: isEntry ? 0 : row.count, atMs: row.at };
		}
	}
}

function eventOf(ticket: string): string {
	return ticket.slice(0, ticket.indexOf('/'));
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
