import {
	applyChanges,
	bitPlace,
	isBitSet,
	pageChanges,
	type SparsePages,
} from '../../../gate-agent/core/sparse-pages.ts';
import type { Cursor } from '../../protocol/cursor.ts';
import type { LoadedSnapshot, Replica, ReplicaChange } from '../replica.ts';

/** What a replica in memory knows of others. */
export interface MemoryReplica extends Replica {
	isRevoked(evt: string, idx: number): boolean;
	isRedeemed(evt: string, idx: number): boolean;
	/** Uses taken and held on an allowance, as the authority last said. */
	counted(evt: string, idx: number, allowance: string): { readonly used: number; readonly held: number } | undefined;
	policy(evt: string): unknown;
	/** The newest own row that the authority's counts include. */
	ownSeen(): number;
	readonly loads: number;
}

/** Makes a replica that has seen nothing. */
export function createMemoryReplica(): MemoryReplica {
	return new Memory();
}

class Memory implements MemoryReplica {
	loads = 0;
	#cursor: Cursor | undefined;
	#ownSeen = 0;
	#policies = new Map<string, unknown>();
	#revoked = new Map<string, SparsePages>();
	#redeemed = new Map<string, SparsePages>();
	#counts = new Map<string, { readonly used: number; readonly held: number }>();

	async cursor(): Promise<Cursor | undefined> {
		return this.#cursor;
	}

	async apply(changes: readonly ReplicaChange[], next: Cursor): Promise<void> {
		for (const change of changes) this.#apply(change);
		this.#cursor = next;
	}

	async load({ cursor, events }: LoadedSnapshot): Promise<void> {
		this.loads += 1;
		this.#policies = new Map(events.map(({ evt, policy }) => [evt, policy]));
		this.#revoked = new Map(events.map(({ evt, revoked }) => [evt, new Map(revoked)]));
		this.#redeemed = new Map(events.map(({ evt, redeemed }) => [evt, new Map(redeemed)]));
		this.#counts = new Map();
		for (const { evt, counts } of events) {
			for (const { allowance, rows } of counts) {
				for (const [idx, , used, held] of rows) this.#counts.set(`${evt}/${idx} ${allowance}`, { used, held });
			}
		}
		this.#cursor = cursor;
	}

	isRevoked(evt: string, idx: number): boolean {
		return isBitSet(this.#revoked.get(evt)?.get(bitPlace(idx).page), idx);
	}

	isRedeemed(evt: string, idx: number): boolean {
		return isBitSet(this.#redeemed.get(evt)?.get(bitPlace(idx).page), idx);
	}

	counted(evt: string, idx: number, allowance: string): { readonly used: number; readonly held: number } | undefined {
		return this.#counts.get(`${evt}/${idx} ${allowance}`);
	}

	policy(evt: string): unknown {
		return this.#policies.get(evt);
	}

	ownSeen(): number {
		return this.#ownSeen;
	}

	#apply(change: ReplicaChange): void {
		if (change.kind === 'policy') this.#policies.set(change.evt, change.policy);
		if (change.kind === 'revoked') mark(this.#revoked, change.evt, pageChanges(change.idx));
		if (change.kind === 'restored') mark(this.#revoked, change.evt, pageChanges([], change.idx));
		if (change.kind !== 'admission' && change.kind !== 'own_admission') return;
		const { evt, idx, allowance, use, used, held } = change.change;
		this.#counts.set(`${evt}/${idx} ${allowance}`, { used, held });
		if (allowance === 'ticket' && use === 1) {
			mark(this.#redeemed, evt, used > 0 ? pageChanges([idx]) : pageChanges([], [idx]));
		}
		if (change.kind === 'own_admission') this.#ownSeen = Math.max(this.#ownSeen, change.seq);
	}
}

function mark(sets: Map<string, SparsePages>, evt: string, changes: ReturnType<typeof pageChanges>): void {
	const pages = sets.get(evt) ?? new Map();
	applyChanges(pages, changes);
	sets.set(evt, pages);
}
