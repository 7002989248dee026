import type { Standing } from '../../gate-agent/core/decide.ts';
import type { SparsePages } from '../../gate-agent/core/sparse-pages.ts';
import type { Cursor } from '../protocol/cursor.ts';
import type { AdmissionChange, ControlChange } from '../protocol/feed.ts';
import type { SnapshotEvent } from '../protocol/snapshot.ts';

/** One change for the replica, in the order of its log. */
export type ReplicaChange =
	| Exclude<ControlChange, { kind: 'command' } | { kind: 'authority' } | { kind: 'release' } | { kind: 'config' }>
	/** What the authority counts on an allowance now. It replaces what was learned of it before. */
	| { readonly kind: 'admission'; readonly change: AdmissionChange }
	/**
	 * The same, after a row of this device's own journal: the authority's count now includes row `seq` and all rows of
	 * this allowance before it, so the device no longer adds them on top.
	 */
	| { readonly kind: 'own_admission'; readonly seq: number; readonly change: AdmissionChange };

/** A snapshot, its sets unpacked. */
export interface LoadedSnapshot {
	readonly cursor: Cursor;
	readonly events: readonly LoadedEvent[];
	/** The newest key manifest, vetted. */
	readonly keys?: string;
	/** Up to which row of the device's own journal the counts include it; 0 where they know another journal, or none. */
	readonly ownThrough: number;
	/** This device's own status. */
	readonly device: Standing;
}

/** One event of a snapshot. */
export interface LoadedEvent {
	readonly evt: string;
	readonly policy: unknown;
	readonly redeemed: SparsePages;
	readonly revoked: SparsePages;
	readonly counts: SnapshotEvent['counts'];
}

/**
 * What a ledger keeps of its venue: what others admitted, what is revoked, policy and keys. Its law:
 *
 * 1. `apply` and `load` change state and cursor in one transaction; after a crash either both are there or neither.
 * 2. `load` replaces everything learned from others, and nothing of the device's own journal. Own rows lie over the
 *    loaded state until an `own_admission` of the feed includes them: an acknowledged push is not enough, because the
 *    snapshot may be older than it.
 * 3. Changes are applied in the order given. `revoked` and `restored` of one number cancel each other.
 * 4. A decision made after the promise resolves sees the change.
 */
export interface Replica {
	/** How far it has followed, undefined before the first snapshot. */
	cursor(): Promise<Cursor | undefined>;
	apply(changes: readonly ReplicaChange[], next: Cursor): Promise<void>;
	load(snapshot: LoadedSnapshot): Promise<void>;
}
