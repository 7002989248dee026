import type { Decision } from './decide.ts';
import type { ClassPolicy, Cue } from './policy.ts';
import type { AlarmKind, Direction, Fact, Grant, Settlement } from './redemption.ts';
import type { Refusal } from './refusal.ts';
import type { Scan } from './scan.ts';
import type { Ticket, TicketId } from './ticket.ts';

/**
 * How a lane is run. `free` counts only, `locked` refuses all, `drop_arm` has its arm down while handhelds work.
 */
export type LaneMode = 'entry' | 'exit' | 'both' | 'free' | 'locked' | 'drop_arm';

/** What a lane is, fixed while the agent runs. */
export interface LaneConfig {
	readonly id: string;
	readonly zone: string;
	readonly mode: LaneMode;
	/** Whether an input reports passages. Without one a grant is settled as assumed once its pulse is confirmed. */
	readonly passageSensor: boolean;
	/** Whether a fire input is wired. Until its state is known the lane changes nothing. */
	readonly fireInput: boolean;
	/** The turnstile's own time for one passage plus one second. */
	readonly passageTimeoutMs: number;
	/** How long a passage that comes too late still belongs to its grant. */
	readonly latePassageMs: number;
	/** How long the same code is ignored where no passage ends it: at most 2 s. */
	readonly holdOffMs: number;
	/** How long a verdict stays on the display. */
	readonly verdictMs: number;
	/** How long `confirm` waits for the staff button. */
	readonly confirmTimeoutMs: number;
	/** A group run ends when nobody passed for this long. */
	readonly groupIdleMs: number;
	/** A passage contact that stays active for longer raises `open_too_long`. */
	readonly openTooLongMs: number;
	/** `not_taken` in a row that mean a dead sensor. */
	readonly deadSensorAfter: number;
	/** What the staff button does when nobody waits to be confirmed. */
	readonly staffButton: 'confirm_only' | 'open_once';
	/** Class that a press of the staff button admits with `open_once`. */
	readonly staffButtonClass: string;
}

/** What a person or the centre orders of a lane. Modes, emergencies and entries are journalled with who ordered them. */
export type LaneCommand =
	| { readonly kind: 'set_mode'; readonly mode: LaneMode; readonly by: string }
	/** Admits `count` visitors of a class without a ticket, e.g. infants. */
	| {
			readonly kind: 'staff_entry';
			readonly cls: string;
			readonly count: number;
			readonly by: string;
			readonly reason: string;
	  }
	| { readonly kind: 'confirm'; readonly by: string }
	| { readonly kind: 'reject'; readonly by: string }
	| { readonly kind: 'stop_group'; readonly by: string }
	| { readonly kind: 'emergency_open'; readonly by: string }
	/** Only given at the lane itself: a key switch or the technician. */
	| { readonly kind: 'emergency_reset'; readonly by: string };

/** A check found nothing against the visitor: what `redeem` would grant now. */
export interface Admissible {
	readonly ticket: Ticket;
	readonly decision: Decision & { kind: 'grant' };
	readonly classPolicy: ClassPolicy;
}

/** Something that happened at a lane. `atMs` is monotonic and never goes back. */
export type LaneInput = { readonly atMs: number } & (
	| { readonly kind: 'scan'; readonly scan: Scan; readonly side: Direction }
	| { readonly kind: 'checked'; readonly scanId: number; readonly result: Checked }
	| { readonly kind: 'redeemed'; readonly scanId: number; readonly result: RedeemResult }
	/** The answer to `record_entry`: the fact is durable, or could not be written. */
	| { readonly kind: 'recorded'; readonly entryId: number; readonly ok: boolean }
	/** The relay acknowledged (`ok`) or failed the pulse of the open grant. */
	| { readonly kind: 'pulsed'; readonly pulseId: number; readonly ok: boolean }
	/** The passage contact of one direction became active or inactive. A passage counts when it becomes active. */
	| { readonly kind: 'passage'; readonly direction: Direction; readonly active: boolean }
	/** `unknown` until it was read, and whenever its input board is lost. */
	| { readonly kind: 'fire'; readonly state: FireState }
	| { readonly kind: 'tamper'; readonly active: boolean }
	/** The contacts were not read for a while: a passage under way may have gone unseen. */
	| { readonly kind: 'unseen' }
	| { readonly kind: 'staff_button' }
	| { readonly kind: 'command'; readonly command: LaneCommand }
	/** Essential devices that are missing, all of them each time it changes. A missing lamp does not close a lane. */
	| {
			readonly kind: 'devices';
			readonly missing: readonly string[];
			/** The relay board was opened, at first or again: nobody knows how its coils stand. */
			readonly relayOpened?: true;
	  }
	/** The agent is about to end: what was counted is written down. */
	| { readonly kind: 'closing' }
	/** The deadline of `deadlineOf` has come. */
	| { readonly kind: 'tick' }
);

/** What the fire alarm's contact says. */
export type FireState = 'active' | 'clear' | 'unknown';

/** The answer to a `check` effect. */
export type Checked =
	| { readonly kind: 'admissible'; readonly admissible: Admissible }
	| ({
			readonly kind: 'refused';
			readonly refusal: Refusal;
			readonly ticketId?: TicketId;
			/** The ticket, where it was proven before it was refused. */
			readonly ticket?: Ticket;
	  } & UnverifiedLimit);

/** Told where the admissions of a class on the lane's own word have reached their limit for this clock hour. */
export interface UnverifiedLimit {
	/** Milliseconds until the hour ends and counting begins anew. */
	readonly unverifiedLimitMs?: number;
}

/** The answer to a `redeem` effect. */
export type RedeemResult =
	| ({
			readonly kind: 'granted';
			readonly grant: Grant;
			readonly left: number;
			/** Counted give-backs on this allowance before this grant; at `giveBackMax` a use stays consumed. */
			readonly givenBack: number;
	  } & UnverifiedLimit)
	/** An exit scan was recorded. */
	| { readonly kind: 'exited'; readonly ticketId: TicketId }
	| ({ readonly kind: 'refused'; readonly refusal: Refusal } & UnverifiedLimit);

/** What the lane wants done. The agent carries effects out in order. */
export type LaneEffect =
	/** Verify the scan and decide on the history, without redeeming. Answered by `checked`. */
	| {
			readonly kind: 'check';
			readonly scanId: number;
			readonly scan: Scan & { kind: 'code' };
			readonly direction: Direction;
	  }
	/** Decide again and commit. Answered by `redeemed`. */
	| { readonly kind: 'redeem'; readonly scanId: number; readonly ticket: Ticket; readonly direction: Direction }
	/** Open for one passage. Answered by `pulsed`. */
	| { readonly kind: 'pulse'; readonly pulseId: number; readonly direction: Direction }
	/** Keep the gate open without end (`open`), or end that (`release`). Survives the agent's death. */
	| { readonly kind: 'hold'; readonly state: 'open' | 'release' }
	| { readonly kind: 'settle'; readonly settlement: Settlement }
	/** Write a fact; nothing waits for it. */
	| { readonly kind: 'record'; readonly fact: Fact }
	/** Write the fact of an entry without a ticket; the gate stays shut until `recorded` says it is durable. */
	| { readonly kind: 'record_entry'; readonly entryId: number; readonly fact: Fact & { kind: 'staff_entry' } }
	| { readonly kind: 'deny'; readonly refusal: Refusal; readonly scan: Scan; readonly ticketId?: TicketId }
	/** An alarm began or ended. Its journal row comes as a `record` of its own. */
	| { readonly kind: 'alarm'; readonly alarm: AlarmKind; readonly on: boolean }
	/** Say this to the visitor. The same screen again means: say it again. */
	| { readonly kind: 'show'; readonly screen: Screen };

/** What visitor and staff see, hear and read at the lane. */
export type Screen =
	| { readonly kind: 'idle'; readonly mode: LaneMode }
	| {
			readonly kind: 'granted';
			readonly direction: Direction;
			readonly cls: string;
			readonly cue?: Cue;
			readonly seat?: string;
			/** Uses left after this admission, shown where the ticket has more than one. */
			readonly left?: number;
			/** A group run: how many have passed, of how many. */
			readonly group?: { readonly taken: number; readonly of: number };
	  }
	| { readonly kind: 'refused'; readonly refusal: Refusal; readonly seat?: string }
	| { readonly kind: 'go_through' }
	| { readonly kind: 'please_wait' }
	| { readonly kind: 'wait_staff'; readonly cls: string; readonly cue?: Cue; readonly seat?: string }
	| { readonly kind: 'not_taken'; readonly back: boolean }
	| { readonly kind: 'closed'; readonly mode: LaneMode }
	| { readonly kind: 'free' }
	| { readonly kind: 'emergency' }
	| { readonly kind: 'out_of_service'; readonly missing: readonly string[] };

/**
 * All that a lane knows between two inputs: plain data of bounded size, so that it can be printed, compared and
 * replayed. Times are monotonic milliseconds.
 */
export interface LaneState {
	readonly config: LaneConfig;
	/** The latest time that an input carried. */
	readonly nowMs: number;
	readonly mode: LaneMode;
	readonly fire: FireState;
	/** Latched: only a reset at the lane ends it. */
	readonly emergency: Emergency | undefined;
	readonly missing: readonly string[];
	/** What the relay was last told; `unknown` where the coil may have another state than it was told. */
	readonly hold: 'released' | 'open' | 'unknown';
	/** When the relay was last pulsed. */
	readonly pulsedMs: number | undefined;
	readonly phase: Phase;
	/** Who comes next, oldest first. */
	readonly queue: readonly Waiting[];
	/** When the lane was last kept busy by a visitor, not only by a check. */
	readonly heldUpMs: number;
	/** Codes that were read lately, newest last. */
	readonly recent: readonly RecentCode[];
	/** Passages that may still come for what has ended, newest last. */
	readonly late: readonly LatePassage[];
	/** Since when the passage contact of a direction is active. */
	readonly contacts: Readonly<Record<Direction, number | undefined>>;
	readonly sensor: 'none' | 'working' | 'dead';
	/** Openings in a row that nobody was seen to use. */
	readonly missedInRow: number;
	readonly alarms: readonly AlarmKind[];
	/** When `forced_open` ends by itself. */
	readonly forcedUntilMs: number | undefined;
	/** When the hour ends whose limit of unverified admissions was reached, and `unverified_limit` with it. */
	readonly unverifiedUntilMs: number | undefined;
	/** Passages without a grant that have no journal row yet. */
	readonly passages: readonly PassageCount[];
	/** When they get one. */
	readonly passagesDueMs: number | undefined;
	/** What is said for a moment, over the screen of the phase. */
	readonly verdict: Verdict | undefined;
	/** What the display was last told. */
	readonly shown: { readonly screen: Screen; readonly verdictId: number | undefined };
	/** The next number for scans, pulses, entries and verdicts. */
	readonly nextId: number;
}

/** An emergency: `open` means that this lane's relay must keep the gate open, `keep` that nothing touches it. */
export interface Emergency {
	readonly hold: 'open' | 'keep';
}

/** What the lane is doing. One visitor at a time. */
export type Phase =
	| { readonly kind: 'idle' }
	| { readonly kind: 'checking'; readonly attempt: Attempt; readonly askedMs: number }
	| {
			readonly kind: 'confirming';
			readonly attempt: Attempt;
			readonly admissible: Admissible;
			readonly untilMs: number;
	  }
	| {
			readonly kind: 'redeeming';
			readonly attempt: Attempt;
			readonly admissible: Admissible;
			readonly askedMs: number;
	  }
	| {
			readonly kind: 'recording';
			readonly entryId: number;
			readonly order: StaffEntry;
			readonly askedMs: number;
	  }
	| { readonly kind: 'passing'; readonly open: OpenPassage };

/** One scan on its way to a grant. */
export interface Attempt {
	readonly scanId: number;
	readonly scan: Scan & { kind: 'code' };
	readonly side: Direction;
}

/** An order to admit visitors without a ticket. */
export type StaffEntry = LaneCommand & { kind: 'staff_entry' };

/** What somebody is let through for. */
export type Claim =
	| {
			readonly kind: 'ticket';
			readonly grant: Grant;
			/** Whether the class and its limit give the use back when nobody passes. */
			readonly givesBack: boolean;
			/** Where and with which code the visitor came. */
			readonly attempt: Attempt;
	  }
	| { readonly kind: 'exit'; readonly attempt: Attempt }
	| { readonly kind: 'staff' };

/** A gate that was told to open, until somebody passed or it is given up. */
export interface OpenPassage {
	readonly claim: Claim;
	readonly direction: Direction;
	/** How many may pass, one after the other, and how many have. */
	readonly people: number;
	readonly taken: number;
	readonly pulse: PulseState;
	/** Whether passages are awaited. Without a working sensor the confirmed pulse stands for the passage. */
	readonly sensed: boolean;
	/** Whether a device was missing meanwhile, so that a passage may have gone unseen. */
	readonly blind: boolean;
	/** How long one person may take. */
	readonly timeoutMs: number;
	readonly untilMs: number;
	readonly screen: Screen & { kind: 'granted' };
	readonly openedMs: number;
}

/** The newest pulse of an open passage, and whether its visitor has passed. */
export interface PulseState {
	readonly id: number;
	readonly answer: 'awaited' | 'ok' | 'failed';
	readonly passed: boolean;
}

/** A scan or an order that waits until the lane is free. */
export type Waiting = { readonly atMs: number } & (
	| { readonly kind: 'scan'; readonly scan: Scan & { kind: 'code' }; readonly side: Direction }
	| { readonly kind: 'staff'; readonly order: StaffEntry }
);

/** A code that is not read again before its hold-off ends. */
export interface RecentCode {
	readonly text: string;
	readonly side: Direction;
	readonly firstReadMs: number;
	/** Why it was refused, to say it again without asking again. */
	readonly verdict: Screen | undefined;
}

/** A passage that may still come; `settlement` takes a returned use again. */
export interface LatePassage {
	readonly direction: Direction;
	readonly untilMs: number;
	readonly ticketId: TicketId | undefined;
	readonly settlement: Settlement | undefined;
}

/** Passages without a grant, counted together. */
export interface PassageCount {
	readonly direction: Direction;
	readonly during: (Fact & { kind: 'passages' })['during'];
	readonly count: number;
}

/** A screen for a moment. Its `id` tells it from the same one before, so that it is said again. */
export interface Verdict {
	readonly id: number | undefined;
	readonly screen: Screen;
	readonly untilMs: number;
}

/**
 * How an open passage ends. `taken`: all have passed. `assumed`: the confirmed pulse stands for a passage. `missed`:
 * nobody came in time. `failed`: the relay did not answer or could not. `stopped`: a person or the mode ended it.
 */
export type LanePassageEnd = 'taken' | 'assumed' | 'missed' | 'failed' | 'stopped' | 'emergency';
