import type { Screen } from '../../../gate-agent/core/lane-state.ts';
import type { Direction, RedemptionId, Rung } from '../../../gate-agent/core/redemption.ts';

/** What a handheld is doing, for its screen. */
export type HandheldState =
	| { readonly kind: 'starting' }
	/** It cannot work here; `other_tab` may be taken over. */
	| { readonly kind: 'blocked'; readonly why: 'other_tab' | 'no_storage' | 'no_crypto' | 'ledger_corrupt' }
	| { readonly kind: 'unenrolled' }
	/** Nobody has signed in; `known` may do so without the server. */
	| { readonly kind: 'signed_out'; readonly link: LinkStatus; readonly known: readonly StaffName[] }
	| {
			readonly kind: 'working';
			readonly link: LinkStatus;
			readonly staff: Staff;
			readonly post: Post;
			readonly counters: Counters;
			/** Admissions that can still be undone, newest first. */
			readonly undoable: readonly Undoable[];
	  };

/** A name that staff sign in with: `[a-z0-9._-]`, 1 to 32 characters. */
export type StaffName = string;

/** Who works with the handheld. A supervisor may override refusals. */
export interface Staff {
	readonly name: StaffName;
	readonly role: 'steward' | 'supervisor';
	/** End of the shift, milliseconds since 1970: then the PIN is asked again. */
	readonly untilMs: number;
	/** Signed in without the server; what needs it asks for the PIN again once it is there. */
	readonly offline: boolean;
}

/** Where the handheld stands and which way its visitors go. */
export interface Post {
	readonly direction: Direction;
	/** Zone: `[a-z0-9_-]`, 1 to 32 characters. */
	readonly zone: string;
}

/** How the handheld stands with its venue: always on the screen. */
export interface LinkStatus {
	readonly state: 'offline' | 'connecting' | 'online';
	/** Why it is offline, a stable word of the sync client. */
	readonly problem?: string;
	/** How an admission would be allowed now. */
	readonly rung: Rung;
	/** Journal rows that the server does not have yet. */
	readonly waiting: number;
	/** When the server was reached last, milliseconds since 1970; absent where it never was. */
	readonly lastSyncMs?: number;
	/** Age of the lists of used and revoked tickets. */
	readonly listAgeMs: number;
	/** Offline or on old lists for so long that staff must do something about it. */
	readonly alarm: boolean;
	/** The browser has promised to keep the data; where it has not, staff are told. */
	readonly persisted: boolean;
	readonly clockTrusted: boolean;
	/** Name of this device at the venue, also its lane. */
	readonly device: string;
	readonly venue: string;
	/** IANA time zone of the venue. */
	readonly timeZone: string;
	/** Events whose rules are known here, with their ticket classes. */
	readonly events: readonly { readonly evt: string; readonly classes: readonly string[] }[];
}

/** What this handheld has done since its shift began. */
export interface Counters {
	readonly admitted: number;
	readonly left: number;
	readonly refused: number;
	readonly withoutTicket: number;
}

/** An admission that staff may still undo. */
export interface Undoable {
	readonly redemptionId: RedemptionId;
	/** Number of the ticket in its event. */
	readonly idx: number;
	readonly cls: string;
	readonly people: number;
	/** Until when, milliseconds since 1970. */
	readonly untilMs: number;
}

/** What a code or number is about; a token of the engine that holds no code. */
export interface Shown {
	readonly evt: string;
	readonly idx: number;
	readonly cls: string;
	readonly seat?: string;
}

/** The answer to one code. Its words are those of the core's `textOf(screen)`. */
export type Verdict =
	/** The visitor may pass: it is durable. `undo` is what undoes it. */
	| {
			readonly kind: 'granted';
			readonly screen: Screen & { kind: 'granted' };
			readonly shown?: Shown;
			readonly rung: Rung;
			readonly people: number;
			readonly left: number;
			readonly undo?: Undoable;
	  }
	/** An exit was written down. */
	| { readonly kind: 'exited'; readonly screen: Screen; readonly shown: Shown }
	/** Nothing was redeemed yet: staff look at the visitor, or say how many enter. `admit` goes on. */
	| {
			readonly kind: 'ask';
			readonly why: 'confirm' | 'count';
			readonly screen: Screen;
			readonly shown: Shown;
			readonly ask: AskId;
			/** Uses that are left on the ticket: the most that may enter now. */
			readonly left: number;
	  }
	| {
			readonly kind: 'refused';
			readonly screen: Screen & { kind: 'refused' };
			readonly shown?: Shown;
			/** A supervisor may admit all the same; absent where nothing can be overridden. */
			readonly override?: AskId;
	  };

/** Names a question or a refusal that staff may answer within `askMs`. */
export type AskId = number;

/** What a look at a ticket tells, without redeeming it. */
export interface Looked {
	readonly verdict: 'admissible' | 'refused';
	readonly screen: Screen;
	readonly shown?: Shown;
	readonly left: number;
}

/** One use of a ticket. */
export interface TicketUse {
	readonly device: string;
	readonly lane: string;
	readonly atMs: number;
	readonly rung: Rung;
	readonly outcome: 'open' | 'taken' | 'not_taken';
	readonly taken: number;
	readonly by?: StaffName;
	readonly reason?: string;
}

/** What is known of a ticket. `complete` says that the server was asked; otherwise it is this device's knowledge. */
export interface TicketHistory {
	readonly evt: string;
	readonly idx: number;
	readonly cls?: string;
	readonly use?: number;
	readonly order?: string;
	readonly revoked: boolean;
	readonly uses: readonly TicketUse[];
	readonly complete: boolean;
}

/** A ticket of an order. */
export interface OrderTicket {
	readonly evt: string;
	readonly idx: number;
	readonly cls: string;
	readonly use: number;
	readonly used: number;
	readonly revoked: boolean;
}

/** A lane whose visitor waits for staff, or any other lane of the venue. */
export interface VenueLane {
	readonly device: string;
	readonly name: string;
	readonly lane: string;
	readonly mode: string;
	readonly phase: string;
	readonly seenMs: number;
}

/** Why something that staff wanted was not done. A closed list: the page has words for each. */
export type StaffProblem =
	| { readonly why: 'wrong_pin' | 'unknown_here' | 'needs_server' | 'sign_in_again' | 'not_supervisor' | 'too_late' }
	| { readonly why: 'locked'; readonly untilMs: number }
	| { readonly why: 'ledger'; readonly code: string }
	| { readonly why: 'bad_link' | 'code_refused' | 'wrong_server' | 'not_found' | 'bad_number' | 'server_refused' };

/** How something that staff wanted ended. Nothing here throws for what people or networks do. */
export type Done<T = undefined> =
	| { readonly kind: 'done'; readonly value: T }
	| { readonly kind: 'not_done'; readonly problem: StaffProblem };

/**
 * A handheld, without its screen: all that staff can do, and what there is to see. Every promise resolves; what goes wrong is a
 * value. An admission that resolved as granted survives any crash.
 */
export interface Handheld {
	state(): HandheldState;
	/** Calls back after each change of the state; gives what ends it. */
	watch(changed: () => void): () => void;

	/** Takes the ledger over from another tab. */
	takeOver(): Promise<void>;
	/** Joins the venue; `text` is what the enrollment QR code says, or the page's own address with it. */
	enroll(text: string, name: string): Promise<Done>;
	signIn(name: StaffName, pin: string): Promise<Done>;
	signOut(): Promise<void>;
	setPost(post: Post): Promise<void>;

	/** A scanned or pasted text: redeems it where nothing is to be asked. One after the other. */
	scan(text: string): Promise<Verdict>;
	/** Verifies and decides, and redeems nothing. */
	look(text: string): Promise<Looked>;
	/** Answers `ask`: so many people enter now (1 where only confirmed). */
	admit(ask: AskId, people: number): Promise<Verdict>;
	/** A supervisor admits what was refused. The PIN is the supervisor's own; a supervisor on shift gives theirs again. */
	override(
		ask: AskId,
		by: { readonly name: StaffName; readonly pin: string; readonly reason: string },
	): Promise<Done<Verdict>>;
	/** A broken screen: number with check digits. Its class is what the server knows, or what staff say. Rung `staff`. */
	typed(ticket: { readonly evt: string; readonly number: string; readonly cls?: string }): Promise<Done<Verdict>>;
	/** Visitors without a ticket (infants, free entry). */
	staffEntry(entry: { readonly cls: string; readonly count: number; readonly reason: string }): Promise<Done<Verdict>>;
	undo(redemptionId: RedemptionId): Promise<Done>;

	history(ticket: { readonly evt: string; readonly idx: number }): Promise<TicketHistory>;
	findOrder(number: string): Promise<Done<readonly OrderTicket[]>>;
	lanes(): Promise<Done<readonly VenueLane[]>>;
	orderLane(lane: {
		readonly device: string;
		readonly lane: string;
		readonly order: 'confirm' | 'reject' | 'stop_group';
	}): Promise<Done>;

	/** Settles what is open and lets the ledger go. */
	close(): Promise<void>;
}

/** How long a question waits for its answer. */
export const askMs = 60_000;

/** How long an admission may be undone. */
export const undoMs = 30_000;

/** The most visitors without a ticket in one entry. */
export const staffEntryMax = 20;
