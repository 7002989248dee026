import type { Decision } from './decide.ts';
import type { ClassPolicy, Cue } from './policy.ts';
import type { AlarmKind, Direction, Fact, Grant, RedemptionId, Settlement } from './redemption.ts';
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

/** What a person or the centre orders of a lane. Each is journalled with who gave it. */
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
	/** The relay acknowledged (`ok`) or failed the pulse of the open grant. */
	| { readonly kind: 'pulsed'; readonly pulseId: number; readonly ok: boolean }
	/** The passage contact of one direction became active or inactive. A passage counts when it becomes active. */
	| { readonly kind: 'passage'; readonly direction: Direction; readonly active: boolean }
	| { readonly kind: 'fire'; readonly state: 'active' | 'clear' | 'unknown' }
	| { readonly kind: 'tamper'; readonly active: boolean }
	| { readonly kind: 'staff_button' }
	| { readonly kind: 'command'; readonly command: LaneCommand }
	/** All devices of the lane are open, or some are missing. */
	| { readonly kind: 'devices'; readonly missing: readonly string[] }
	/** The deadline of `deadlineOf` has come. */
	| { readonly kind: 'tick' }
);

/** The answer to a `check` effect. */
export type Checked =
	| { readonly kind: 'admissible'; readonly admissible: Admissible }
	| { readonly kind: 'refused'; readonly refusal: Refusal; readonly ticketId?: TicketId };

/** The answer to a `redeem` effect. */
export type RedeemResult =
	| { readonly kind: 'granted'; readonly grant: Grant; readonly left: number }
	/** An exit scan was recorded. */
	| { readonly kind: 'exited'; readonly ticketId: TicketId }
	| { readonly kind: 'refused'; readonly refusal: Refusal };

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
	| { readonly kind: 'record'; readonly fact: Fact }
	| { readonly kind: 'deny'; readonly refusal: Refusal; readonly scan: Scan; readonly ticketId?: TicketId }
	| { readonly kind: 'alarm'; readonly alarm: AlarmKind; readonly on: boolean }
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

/** Identifies a grant inside the lane's state. */
export type OpenGrant = { readonly redemptionId: RedemptionId; readonly ticketId: TicketId };
