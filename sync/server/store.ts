import type { JWK } from 'jose';
import type { Standing } from '../../gate-agent/core/decide.ts';
import type { Claim, ClaimAnswer } from '../protocol/claims.ts';
import type { Cursor } from '../protocol/cursor.ts';
import type { ControlChange, FeedPage } from '../protocol/feed.ts';
import type { Report } from '../protocol/report.ts';
import type { CaseCause } from './case-cause.ts';
import type { GateConfigs } from './gate-configs.ts';
import type { Replication } from './replication.ts';
import type { TicketInquiry } from './ticket-inquiry.ts';

/** A claim on its way to a decision: the venue and device were authenticated before. */
export interface VenueClaim {
	readonly venue: string;
	readonly device: string;
	readonly claim: Claim;
	/** When the server received it, milliseconds since 1970. */
	readonly atMs: number;
	/** The epoch that the caller grants in: where another has begun, the call rejects with `authority_lost`. */
	readonly epoch?: number;
	/** How far the device has followed the authority: a store that has less rejects with `authority_lost`. */
	readonly seen?: Cursor;
}

/** A segment whose signature was checked. */
export interface VenueSegment {
	readonly venue: string;
	readonly device: string;
	readonly deviceEpoch: string;
	readonly from: number;
	readonly to: number;
	/** SHA-256 of the row before `from`, base64url; 32 zero bytes for row 1. */
	readonly prevHash: string;
	/** SHA-256 of row `to`. */
	readonly lastHash: string;
	/** The journal rows, verbatim. */
	readonly rows: readonly string[];
	/** The signed segment as it came, kept as evidence. */
	readonly jws: string;
	readonly atMs: number;
	/** The server that passed it on; absent where the device itself brought it. */
	readonly via?: string;
}

/** A claim without a journal row yet. */
export interface OpenClaim {
	readonly redemption: string;
	/** Device epoch of the journal that it was made for. */
	readonly journal: string;
	readonly atMs: number;
	readonly evt: string;
	readonly idx: number;
	readonly allowance: string;
	/** Uses that it holds; 0 for a re-entry. */
	readonly uses: number;
	readonly lane: string;
}

/** What became of a segment. */
export type SegmentOutcome =
	| { readonly kind: 'accepted'; readonly acceptedThrough: number; readonly conflicts: readonly Conflict[] }
	/** Rows are missing before `from`: send from `acceptedThrough + 1`. */
	| { readonly kind: 'gap'; readonly acceptedThrough: number }
	/** The journal forked, went back or was changed: the device is quarantined and the rows are kept on a branch. */
	| { readonly kind: 'quarantined'; readonly acceptedThrough: number; readonly why: 'fork' | 'rollback' };

/** One redemption of a device that is part of an open case. */
export interface Conflict {
	readonly redemption: string;
	readonly case: string;
}

/** What stands at the head of a venue. */
export interface VenueHead extends Cursor {
	/** The server that may grant in this epoch. */
	readonly authority: string;
	/** Whether that is this one, and it has begun: no other server grants or numbers in this epoch. */
	readonly grants: boolean;
	/**
	 * This store does not have all that there was, and grants nothing until a new epoch: a device has shown a higher cursor
	 * than its own, or it came back from a backup.
	 */
	readonly behind?: 'overtaken' | 'restored';
}

/** A device as the server knows it. */
export interface Device {
	readonly venue: string;
	/** RFC 7638 thumbprint of its key. */
	readonly device: string;
	readonly name: string;
	readonly jwk: JWK;
	readonly status: Standing;
	/** Its newest device epoch, and how far its journal is here. */
	readonly deviceEpoch?: string;
	readonly acceptedThrough: number;
	/** Chain hash of its newest row that is here, base64url. */
	readonly headHash?: string;
	readonly enrolledMs: number;
	readonly lastSeenMs?: number;
	/** How it stands, by its own newest word. */
	readonly report?: Report & { readonly atMs: number };
}

/** An event and its rules: the policy of the core as plain data. */
export interface VenueEvent {
	readonly evt: string;
	readonly policy: unknown;
}

/** Tickets of an order. */
export interface OrderRequest {
	readonly venue: string;
	readonly evt: string;
	/** The seller's order number: asking again with the same number gives the same tickets. */
	readonly order: string;
	readonly cls: string;
	readonly count: number;
	/** Admissions per allowance of each ticket. */
	readonly use: number;
	/** Everything else that the tickets say, as plain data: validity, zones, session, seat. */
	readonly claims: unknown;
	readonly atMs: number;
}

/** A range of tickets that an order got. A batch is one run of numbers. */
export interface Order {
	readonly order: string;
	readonly evt: string;
	readonly cls: string;
	readonly from: number;
	readonly count: number;
	readonly use: number;
	readonly claims: unknown;
	readonly status: 'issued' | 'refunded' | 'exchanged';
}

/**
 * What a refund did. `pending` while a device that could have admitted has not synced since: it has not said yet that it
 * has followed the control log past the refund and has no row left that it wrote before. Disabled devices are given up.
 */
export interface RefundOutcome {
	readonly refunded: readonly number[];
	readonly alreadyUsed: readonly number[];
	readonly pending: boolean;
	/** Names of devices that have not synced, at most `unsyncedMax`. */
	readonly unsynced: readonly string[];
}

/** What a person must look at. The winner is decided by the authority's order and never changes. */
export interface Case {
	readonly id: string;
	readonly venue: string;
	readonly kind: 'double_entry' | 'refunded_after_entry' | 'cloned_device' | 'restored_disk';
	readonly evt?: string;
	readonly idx?: number;
	readonly allowance?: string;
	/** Admissions beyond what the ticket carries. */
	readonly over?: number;
	readonly redemptions: readonly CaseRedemption[];
	readonly cause: CaseCause;
	readonly device?: string;
	readonly openedMs: number;
	readonly outcome?: { readonly text: string; readonly by: string; readonly atMs: number };
}

/** One redemption of a case, in the authority's order. */
export interface CaseRedemption {
	readonly redemption: string;
	readonly device: string;
	readonly lane: string;
	readonly rung: string;
	readonly atMs: number;
	readonly taken: number;
}

/** What became of one ticket, for who is asked about it. */
export interface TicketRecord {
	readonly evt: string;
	readonly idx: number;
	readonly revoked: boolean;
	/** Its allowances of which something was ever taken or held. */
	readonly rights: readonly {
		readonly allowance: string;
		readonly use: number;
		readonly used: number;
		readonly held: number;
	}[];
	/** Its newest passages that took a use, at most `ticketEntriesMax`, in the authority's order. */
	readonly entries: readonly (CaseRedemption & { readonly allowance: string })[];
}

/** What a new device loads instead of the whole feed: counts at a cursor, immutable. */
export interface SnapshotEvent {
	readonly evt: string;
	/** Numbers of whole-ticket allowances of one use that are used up, ascending. */
	readonly redeemed: readonly number[];
	readonly revoked: readonly number[];
	/** Every other allowance with a use taken or held. */
	readonly counts: readonly {
		readonly idx: number;
		readonly allowance: string;
		readonly use: number;
		readonly used: number;
		readonly held: number;
	}[];
}

/** How many people an event has had on its venue day, and has now. */
export interface Presence {
	readonly entered: number;
	readonly left: number;
	readonly inside: number;
	/** Uses that claims and open grants hold. */
	readonly held: number;
	/** How many may be inside at most; absent where the rules name no limit. */
	readonly capacity?: number;
}

/** What devices begin with, at one cursor. */
export interface StoreSnapshot {
	readonly cursor: Cursor;
	readonly events: readonly SnapshotEvent[];
	/** Up to which row the counts include the newest journal of each device. */
	readonly journals: readonly { readonly device: string; readonly journal: string; readonly through: number }[];
}

/**
 * What a server keeps. Two implementations, SQLite and PostgreSQL, pass one suite (`store.suite.ts`). Its law:
 *
 * 1. `venue_id` leads every key, so that a database shards by venue without change.
 * 2. `claim` is idempotent by redemption id, and grants on one allowance never exceed its `use` while the same epoch
 *    lasts: `used + held` is raised by a conditional update. A batch is folded per ticket before it is written, and
 *    all of it is durable when the promise resolves. What a ticket carries is what its order says. A claim that
 *    staff released and that is asked again is decided anew: what it held may be another's now. One that its device gave
 *    back is denied for ever.
 * 3. A claim holds its uses until its device's journal says what became of them (`ingest`), or staff release it.
 * 4. `ingest` is idempotent: rows that are there already change nothing. Segments of many venues are written in one
 *    transaction, venues locked in id order. Every grant and settlement gets the next number of the venue's admissions
 *    log in that same transaction: numbers are gapless, and no reader ever sees n + 1 before n.
 * 5. Over-use is judged on settled passages only: a double entry is one case per allowance with `over` = how many too
 *    many, it grows and never changes its winner, and a late `not_taken` invents none.
 * 6. A new epoch begins the admissions log anew at 1; a store that is shown a higher cursor than its own, or that came
 *    back from a backup, stops granting. After such a loss the new epoch, the control log and ticket numbers go on above
 *    everything that may have been given out before it.
 * 7. People are counted from rows that are new: passages of settlements, exits, staff entries and passages without a
 *    ticket, by the venue day. Where an event has a capacity, no claim brings those inside and those held above it.
 * 8. Names of devices that are not disabled are unique in a venue: a device stands in for another one of its name only
 *    where its code says so, and the other is disabled in the same transaction.
 *
 * Methods reject with `venue_unknown`, `device_unknown`, `event_unknown`, `session_unknown`, `order_unknown`, `order_differs`,
 * `order_closed`, `case_unknown`, `authority_lost`, `redemption_differs`, `name_taken`, `key_enrolled`, `store_busy` and
 * `store_failed`.
 */
export interface Store extends Replication, TicketInquiry, GateConfigs {
	createVenue(venue: {
		readonly id: string;
		readonly name: string;
		readonly server: string;
		readonly atMs: number;
	}): Promise<void>;
	head(venue: string): Promise<VenueHead | undefined>;
	/** Decides claims in the order given. Answers come in the same order. */
	claim(batch: readonly VenueClaim[]): Promise<readonly ClaimAnswer[]>;
	/** Claims of a device without a journal row yet: it is asked for them when it connects. */
	openClaims(venue: string, device: string): Promise<readonly OpenClaim[]>;
	/** Gives held uses back: the device has no row for them, or staff say that it is dead. Gives those that were open. */
	releaseClaims(release: {
		readonly venue: string;
		readonly device: string;
		readonly redemptions: readonly string[];
		readonly by: string;
		readonly atMs: number;
	}): Promise<readonly string[]>;
	ingest(segments: readonly VenueSegment[]): Promise<readonly SegmentOutcome[]>;
	/** Appends to the control log and gives the number of the last entry. */
	appendControl(venue: string, changes: readonly ControlChange[], atMs: number): Promise<number>;
	/** Entries after `since`, at most `limit`; `undefined` where the cursor is of another epoch: a snapshot is needed. */
	feed(venue: string, since: Cursor, limit: number): Promise<FeedPage | undefined>;
	/**
	 * Somebody shows how far it has followed the authority. `behind`: this store grants, has less, and stops; `lagging`: it
	 * follows another authority and will have it later.
	 */
	shown(venue: string, cursor: Cursor): Promise<'current' | 'behind' | 'lagging'>;
	snapshot(venue: string): Promise<StoreSnapshot>;
	/** Makes or replaces an event, and tells the control log. */
	putEvent(venue: string, event: VenueEvent, atMs: number): Promise<void>;
	events(venue: string): Promise<readonly VenueEvent[]>;
	/** Moves the window of a session by so much from where the rules first put it, and tells the control log. */
	postponeSession(change: {
		readonly venue: string;
		readonly evt: string;
		readonly session: string;
		readonly postponedMs: number;
		readonly atMs: number;
	}): Promise<VenueEvent>;
	/** Counts the people of an event's venue day, those without a ticket included. */
	presence(venue: string, evt: string, atMs: number): Promise<Presence>;
	/** Numbers tickets. Idempotent by order number; the same number with other contents rejects with `order_differs`. */
	issueOrder(request: OrderRequest): Promise<Order>;
	order(venue: string, order: string): Promise<Order | undefined>;
	/** Revokes an order's tickets (or those numbers of it) and tells the control log, in one transaction. */
	refundOrder(refund: {
		readonly venue: string;
		readonly order: string;
		readonly idx?: readonly number[];
		readonly atMs: number;
	}): Promise<RefundOutcome>;
	/** Un-revokes a refunded order, or those numbers of it. Rejects with `order_closed` once it was exchanged. */
	restoreOrder(restore: {
		readonly venue: string;
		readonly order: string;
		readonly idx?: readonly number[];
		readonly atMs: number;
	}): Promise<Order>;
	/** Revokes an order and issues another in one transaction. */
	exchangeOrder(exchange: {
		readonly venue: string;
		readonly order: string;
		readonly into: OrderRequest;
	}): Promise<Order>;
	/** What became of a ticket; of one that nobody has shown and nobody has refunded it says nothing. */
	ticket(key: { readonly venue: string; readonly evt: string; readonly idx: number }): Promise<TicketRecord>;
	/** The number that the next ticket of each event gets, leases apart. */
	counters(venue: string): Promise<readonly { readonly evt: string; readonly next: number }[]>;
	/** Leases a run of numbers that an offline issuer may use; they are never issued here, for no event. */
	leaseRange(lease: {
		readonly venue: string;
		readonly evt: string;
		readonly count: number;
		readonly holder: string;
		readonly atMs: number;
	}): Promise<{ readonly from: number; readonly to: number }>;
	/** Keeps a one-time enrolment code as its hash. `replaces`: whoever has the name now is disabled by its use. */
	addEnrollmentCode(code: {
		readonly venue: string;
		readonly name: string;
		readonly codeHash: string;
		readonly expiresMs: number;
		readonly replaces?: boolean;
		/** Whether it makes a hub, whose server id `name` becomes, and not a device. */
		readonly hub?: boolean;
	}): Promise<void>;
	/**
	 * Spends a code and makes the device; undefined for a code that is unknown, spent or expired. A key that is known is
	 * taken only where the code replaces its own device, which then keeps its journal.
	 */
	enroll(enrollment: {
		readonly codeHash: string;
		readonly jwk: JWK;
		readonly device: string;
		readonly atMs: number;
	}): Promise<Device | undefined>;
	devices(venue: string): Promise<readonly Device[]>;
	device(venue: string, device: string): Promise<Device | undefined>;
	/** Keeps the newest word of a device, and whether it has synced. A hub passes it on after the rows that came before. */
	reportDevice(report: {
		readonly venue: string;
		readonly device: string;
		readonly report: Report;
		readonly atMs: number;
	}): Promise<void>;
	/** Changes what a device may do and tells the control log. */
	setDeviceStatus(change: {
		readonly venue: string;
		readonly device: string;
		readonly status: Device['status'];
		readonly atMs: number;
	}): Promise<void>;
	cases(venue: string): Promise<readonly Case[]>;
	closeCase(close: {
		readonly venue: string;
		readonly id: string;
		readonly text: string;
		readonly by: string;
		readonly atMs: number;
	}): Promise<void>;
	/**
	 * Moves the authority to `server`: a new epoch, and the admissions log begins anew. Gives the new epoch. `lost`: the
	 * store may have lost what it once gave out, also where it does not know it (`head` then says no `behind`). `abandon`:
	 * the authority of now is not waited for, so what it granted and has not passed on may be granted again.
	 */
	beginEpoch(change: {
		readonly venue: string;
		readonly server: string;
		readonly atMs: number;
		readonly lost?: true;
		readonly abandon?: boolean;
	}): Promise<number>;
	close(): Promise<void>;
}

/** Devices that a refund names as not synced. */
export const unsyncedMax = 20;

/** Passages that are told of one ticket. */
export const ticketEntriesMax = 100;

/** Changes in one call, so that no transaction grows without end. */
export const batchMax = 1_024;
