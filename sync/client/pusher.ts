import { type Segment, segmentBytesMax, segmentRowsMax } from '../protocol/segments.ts';
import type { Failure } from './call.ts';
import type { Session } from './session.ts';

/**
 * The journal as the pusher sees it. It is read, never emptied: the outbox is the cursor `acceptedThrough` over it.
 */
export interface Outbox {
	readonly device: string;
	/** The device epoch of the journal. */
	readonly epoch: string;
	/** Number of the newest row, 0 where there is none. */
	head(): Promise<number>;
	/** At most `limit` rows after `seq`, verbatim, and the chain hash of row `seq` in base64url. */
	read(seq: number, limit: number): Promise<{ readonly prevHash: string; readonly rows: readonly string[] }>;
	/** The row up to which the server has this journal, as last remembered. */
	acceptedThrough(): Promise<number>;
	/** Durable when it resolves. It may go back: a server that was restored has less. */
	rememberAccepted(seq: number): Promise<void>;
}

/** What sending the journal needs. */
export interface PusherDeps {
	readonly session: Session;
	readonly outbox: Outbox;
	/** Signs a segment (`signSegment`). */
	readonly sign: (segment: Segment) => Promise<string>;
	/** Told of redemptions of this device that are part of an open case. */
	readonly onConflicts: (conflicts: readonly { readonly redemption: string; readonly case: string }[]) => void;
}

/** How one push ended. `waiting` is how many rows the server does not have yet. */
export type Pushed =
	| { readonly kind: 'idle' }
	| { readonly kind: 'progress'; readonly waiting: number }
	/** The server asks for other rows than it did before, again and again. */
	| { readonly kind: 'stuck'; readonly waiting: number }
	/** The journal forked or went back: the device admits on the authority's word only, until a person has looked. */
	| { readonly kind: 'quarantined'; readonly waiting: number }
	/** The server knows rows that this journal does not have: a new device epoch must begin before anything is admitted. */
	| { readonly kind: 'behind'; readonly epoch: string }
	| Failure;

/** Sends the journal, one segment at a time. */
export interface Pusher {
	push(signal?: AbortSignal): Promise<Pushed>;
}

const pushTimeoutMs = 30_000;

/** Base64url makes 4 characters of 3 bytes; header, signature and the members around the rows take the rest. */
const payloadBytesMax = Math.floor(((segmentBytesMax - 512) * 3) / 4) - 512;

/** Answers without progress in a row before a push counts as stuck. */
const stallsMax = 3;

/** Makes a pusher. */
export function createPusher(deps: PusherDeps): Pusher {
	let rowsMax = segmentRowsMax;
	let stalls = 0;
	return {
		push: async (signal) => {
			const { outbox } = deps;
			const { epoch } = outbox;
			const [head, through] = [await outbox.head(), await outbox.acceptedThrough()];
			if (through > head) return { kind: 'behind', epoch };
			if (through === head) return { kind: 'idle' };
			const segment = await nextSegment(outbox, through, Math.min(rowsMax, head - through));
			const request = { segment: await deps.sign(segment) };
			const outcome = await deps.session.call('segments', request, { timeoutMs: pushTimeoutMs, signal });
			if (outcome.kind === 'refused' && outcome.code === 'too_large' && rowsMax > 1) {
				rowsMax = Math.ceil(Math.min(rowsMax, segment.rows.length) / 2);
				return { kind: 'progress', waiting: head - through };
			}
			if (outcome.kind !== 'ok') return outcome;
			rowsMax = segmentRowsMax;
			const { acceptedThrough, conflicts, status } = outcome.body;
			if (conflicts.length > 0) deps.onConflicts(conflicts);
			// Rows may have been written meanwhile, so the head is asked for again.
			const newest = await outbox.head();
			// What was said of a journal that was left meanwhile says nothing of the one that began.
			if (outbox.epoch !== epoch) return { kind: 'progress', waiting: newest };
			if (acceptedThrough > newest) return { kind: 'behind', epoch };
			if (acceptedThrough !== through) await outbox.rememberAccepted(acceptedThrough);
			const waiting = newest - acceptedThrough;
			stalls = acceptedThrough > through ? 0 : stalls + 1;
			if (status === 'quarantined') return { kind: 'quarantined', waiting };
			if (stalls >= stallsMax) return { kind: 'stuck', waiting };
			return waiting === 0 ? { kind: 'idle' } : { kind: 'progress', waiting };
		},
	};
}

async function nextSegment(outbox: Outbox, through: number, limit: number): Promise<Segment> {
	const { prevHash, rows } = await outbox.read(through, limit);
	const fitting = rows.slice(0, fittingRows(rows));
	const { device, epoch } = outbox;
	return { device, epoch, from: through + 1, to: through + fitting.length, prevHash, rows: fitting };
}

/** How many of the rows fit into one segment; never less than one, so that the server and not a loop refuses it. */
function fittingRows(rows: readonly string[]): number {
	const encoder = new TextEncoder();
	let bytes = 0;
	for (const [i, row] of rows.entries()) {
		bytes += encoder.encode(JSON.stringify(row)).length + 1;
		if (bytes > payloadBytesMax) return Math.max(1, i);
	}
	return rows.length;
}
