import Type, { type Static } from 'typebox';

/**
 * How far a device has followed its venue: the authority's epoch and the newest numbers of the two logs that it has
 * applied. A new epoch means a new snapshot and a new push.
 */
export const cursorSchema = Type.Object(
	{
		epoch: Type.Integer({ minimum: 1 }),
		control: Type.Integer({ minimum: 0 }),
		admissions: Type.Integer({ minimum: 0 }),
	},
	{ additionalProperties: false },
);
/** @see cursorSchema */
export type Cursor = Static<typeof cursorSchema>;

/** Whether somebody has followed an authority further than whoever stands at `head`: it cannot be the newest one. */
export function isAhead(
	{ epoch, admissions }: Omit<Cursor, 'control'>,
	head: { readonly epoch: number; readonly admissions: number },
): boolean {
	return epoch > head.epoch || (epoch === head.epoch && admissions > head.admissions);
}

/** A cursor as it stands in a query or in `Last-Event-ID`: `3.120.4711`. */
export function formatCursor({ epoch, control, admissions }: Cursor): string {
	return `${epoch}.${control}.${admissions}`;
}

/** Reads a cursor; undefined for anything that `formatCursor` does not write. */
export function parseCursor(text: string): Cursor | undefined {
	const match = /^([1-9]\d{0,14})\.(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})$/.exec(text);
	if (!match) return undefined;
	return { epoch: Number(match[1]), control: Number(match[2]), admissions: Number(match[3]) };
}
