import type { JWK } from 'jose';
import type { Cursor } from '../protocol/cursor.ts';
import type { HubClaim, HubDevice, HubEpoch, HubFollowPage, HubLogAnswer, HubRequestOf } from '../protocol/hub.ts';

/** A hub as its centre knows it. */
export interface Hub {
	readonly venue: string;
	/** RFC 7638 thumbprint of its key: who its assertions are of. */
	readonly device: string;
	/** Its server id: who grants, who assertions of devices are for. */
	readonly server: string;
	readonly jwk: JWK;
	readonly enrolledMs: number;
	readonly lastSeenMs?: number;
	/** What it said of itself at the last contact. */
	readonly report?: HubReport;
}

/** @see hubReportSchema */
export type HubReport = Omit<HubRequestOf<'report'>, 'contacts' | 'devices'>;

/** Where a hub stands in what it follows. */
export interface Followed extends Cursor {
	readonly controlHash?: string;
	readonly arrival: number;
	readonly all: number;
}

/** What a hub passes on next. */
export type Outgoing =
	| { readonly kind: 'nothing' }
	/** Segments and then entries of the log: every row that these name is in the segments, or was sent before. */
	| {
			readonly kind: 'rows';
			readonly segments: readonly { readonly device: string; readonly segment: string }[];
			/** The last of them, in the order of arrival. */
			readonly through: number;
			readonly log?: {
				readonly epoch: number;
				readonly entries: readonly { readonly n: number; readonly change: string }[];
			};
			/** Whether more waits already. */
			readonly hasMore: boolean;
	  }
	/** An epoch of this hub is over; without `admissions` the hub lost what it was. */
	| {
			readonly kind: 'end';
			readonly epoch: number;
			readonly admissions?: number;
			readonly claims: readonly HubClaim[];
	  };

/** What a centre has of a hub, where that has changed. */
export interface PassedOn {
	/** Segments up to this one, in the order of arrival. */
	readonly through?: number;
	readonly log?: { readonly epoch: number; readonly admissions: number };
	/** An epoch of the hub that is over there too. */
	readonly ended?: number;
}

/** What waits for a centre. */
export interface Backlog {
	readonly segments: number;
	readonly entries: number;
	/** Whose segments they are. */
	readonly devices: readonly string[];
}

/** How far a hub came by what it has followed. */
export type Standing =
	| { readonly kind: 'current' }
	/**
	 * An epoch names this hub and everything before it is here. The centre may begin it once it is `settled`: until then it
	 * does not know how an earlier epoch of this hub ended, and the hub does not know whether all of that counts.
	 */
	| { readonly kind: 'named'; readonly epoch: number; readonly settled: boolean }
	/** What is here cannot be brought further by following: the counts of the centre replace it. */
	| { readonly kind: 'state_needed' };

/**
 * How two stores of a venue keep the same logs. Its law:
 *
 * 1. The control log has one writer, the centre; the admissions log of an epoch has one, its authority. Entries keep
 *    their numbers and their text wherever they are stored; a gap is refused, what is there already changes nothing,
 *    and another text under the same number is a fork.
 * 2. A store that does not grant keeps segments without counting them. It counts a row when the authority's log says so,
 *    in the authority's order, from the row itself; so winners and cases are the same at both.
 * 3. An epoch is over once its authority has said what its last number is, or an operator has given that authority up.
 *    The next one begins after that, at each store once the whole log is there, and each epoch is begun once.
 * 4. What was kept and not counted when a store begins to grant is counted then, before its first grant.
 */
export interface Replication {
	/** Spends the code of a hub; undefined for a code that is unknown, spent, expired or a device's. */
	joinHub(join: {
		readonly codeHash: string;
		readonly jwk: JWK;
		readonly device: string;
		readonly atMs: number;
	}): Promise<Hub | undefined>;
	hub(venue: string, device: string): Promise<Hub | undefined>;
	hubs(venue: string): Promise<readonly Hub[]>;
	/**
	 * A hub was here. `stale`: it grants, and does not know the contact that was the last one: its disk was put back, or
	 * somebody runs a copy of it.
	 */
	hubSeen(seen: {
		readonly venue: string;
		readonly device: string;
		readonly contacts: readonly string[];
		readonly report: HubReport;
		readonly atMs: number;
	}): Promise<'known' | 'stale'>;
	epochs(venue: string): Promise<readonly (HubEpoch & { readonly abandoned?: true })[]>;
	/** What a hub does not have yet; undefined where what it has is not what stands here. */
	followPage(venue: string, since: Followed, server: string): Promise<Omit<HubFollowPage, 'head'> | undefined>;
	/** All that this store counts, as JSON lines, and the key manifest that the centre has in its key folder. */
	exportState(venue: string, manifest: string): Promise<readonly string[]>;
	/** Stores entries of another authority's log and counts the rows that they name. */
	storeAdmissions(log: {
		readonly venue: string;
		readonly epoch: number;
		readonly entries: readonly { readonly n: number; readonly change: string }[];
	}): Promise<HubLogAnswer>;
	/** An authority says that its epoch is over. Without `admissions` it lost its log, and what is here is all of it. */
	endEpoch(end: {
		readonly venue: string;
		readonly epoch: number;
		readonly server: string;
		readonly admissions?: number;
		readonly claims: readonly HubClaim[];
		readonly atMs: number;
	}): Promise<HubLogAnswer>;
	/**
	 * Lets a hub begin an epoch that names it. `refused`: it was begun before, or is not its own; `waits`: the one before is
	 * not over.
	 */
	beginFor(begin: {
		readonly venue: string;
		readonly epoch: number;
		readonly server: string;
		readonly device: string;
		readonly instance: string;
	}): Promise<readonly HubClaim[] | 'refused' | 'waits'>;

	/** Where this store stands as a hub; undefined before it has loaded its centre's state. */
	followed(venue: string): Promise<Followed | undefined>;
	/**
	 * Replaces everything that is counted by what the centre counts. Segments that the centre does not have stay. False,
	 * and nothing is changed, where this store grants in the epoch of the state already, or in a later one.
	 */
	importState(state: {
		readonly venue: string;
		readonly self: string;
		readonly lines: readonly string[];
		readonly atMs: number;
	}): Promise<boolean>;
	/** Takes what follows. Segments are not part of it: their signatures are checked first (`ingest` with `via`). */
	storeFollowed(followed: {
		readonly venue: string;
		readonly page: Omit<HubFollowPage, 'head' | 'segments' | 'arrival'>;
		readonly arrival: number;
		readonly atMs: number;
	}): Promise<Standing>;
	/** Begins to grant in an epoch that the centre let this hub begin. */
	grantEpoch(grant: {
		readonly venue: string;
		readonly epoch: number;
		readonly claims: readonly HubClaim[];
	}): Promise<void>;
	outgoing(venue: string): Promise<Outgoing>;
	/** The centre has these. */
	rememberSent(venue: string, sent: PassedOn): Promise<void>;
	/** What waits for the centre. */
	backlog(venue: string): Promise<Backlog>;
	/** The centre misses rows: all segments are passed on again. */
	resendSegments(venue: string): Promise<void>;
	/** Keeps a device that the centre has enrolled. */
	putDevice(venue: string, device: HubDevice): Promise<void>;
	/** Notes a contact of this hub before it is made, and gives those that are remembered, the newest last. */
	addContact(venue: string, contact: string): Promise<readonly string[]>;
	/** The centre says that this hub lost something: it grants no more in this epoch. */
	markStale(venue: string): Promise<void>;
	/** What this hub has of an epoch of its own is not what counts: it has nothing to say in it any more. */
	loseEpoch(venue: string, epoch: number): Promise<void>;
	/** Claims of all devices that no row has ended. */
	allOpenClaims(venue: string): Promise<readonly HubClaim[]>;
	/** The newest key manifest that was followed. */
	manifest(venue: string): Promise<string | undefined>;
}
