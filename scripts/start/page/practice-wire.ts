import type { InputRole } from '../../../gate-agent/core/device.ts';
import type { LaneMode } from '../../../gate-agent/core/lane-state.ts';
import type { AlarmKind, Direction, JournalRow, Rung } from '../../../gate-agent/core/redemption.ts';

/** The lanes of the practice, each with a gate of its own. */
export const laneIds = ['lane-1', 'lane-2'] as const;
/** @see laneIds */
export type LaneId = (typeof laneIds)[number];

/** One lane, or both in the same moment. */
export type Where = LaneId | 'both';

/** The sample codes of the practice, in the order in which the page lays them out. */
export const sampleNames = [
	'adult',
	'adult_b',
	'adult_c',
	'used',
	'group',
	'child',
	'student',
	'tomorrow',
	'elsewhere',
	'forged',
	'payment',
] as const;
/** @see sampleNames */
export type SampleName = (typeof sampleNames)[number];

/** The tickets of one order: the server's panel shows and refunds these. */
export const orderSamples = ['adult', 'adult_b', 'adult_c'] as const satisfies readonly SampleName[];
/** @see orderSamples */
export type OrderSample = (typeof orderSamples)[number];

/** What a person at a lane does. */
export type LaneAction =
	| { readonly kind: 'walk'; readonly lane: LaneId; readonly direction: Direction }
	| { readonly kind: 'force'; readonly lane: LaneId }
	/** `press` works a button for a moment, `set` a switch for good. */
	| { readonly kind: 'press'; readonly lane: LaneId; readonly contact: 'staff_button' | 'emergency_reset' }
	| { readonly kind: 'set'; readonly lane: LaneId; readonly contact: 'fire' | 'tamper'; readonly active: boolean }
	| { readonly kind: 'plug'; readonly lane: LaneId; readonly device: PluggedDevice; readonly plugged: boolean }
	| { readonly kind: 'mode'; readonly lane: LaneId; readonly mode: LaneMode };

/** What a person at the practice does. Sent as JSON by the page, checked by the server. */
export type PracticeAction =
	| LaneAction
	/** `walk`: whoever holds the ticket goes through as soon as the gate has opened. */
	| { readonly kind: 'present'; readonly sample: SampleName; readonly at: Where; readonly walk?: boolean }
	| { readonly kind: 'present_text'; readonly text: string; readonly at: Where }
	| { readonly kind: 'new_tickets' }
	| { readonly kind: 'link'; readonly at: Where | 'handheld'; readonly up: boolean }
	| { readonly kind: 'refund' | 'restore'; readonly sample: OrderSample }
	| { readonly kind: 'close_case'; readonly id: string; readonly text: string };

/** The plugs that can be pulled: the scanner, and the relay board with the inputs on it. */
export type PluggedDevice = 'scanner' | 'board';

/** The lamps of the turnstile, by the relay channel that lights them. */
export type Lamp = 'green' | 'red' | 'amber' | 'buzzer';

/** How a gate stands with the server. */
export interface LinkState {
	/** The practice holds the cable cut. */
	readonly cut: boolean;
	/** The gate follows the server's feed. */
	readonly online: boolean;
	/** The gate asks the authority before it opens. */
	readonly reachable: boolean;
	/** Whole seconds since the server confirmed the lists of used and refunded tickets; absent before the first time. */
	readonly listAgeS?: number;
	/** Journal rows that the server does not have. */
	readonly waiting: number;
	/** How the newest admission was allowed. */
	readonly lastRung?: Rung;
	/** Admissions of this gate by how they were allowed. */
	readonly rungs: Readonly<Record<Rung, number>>;
}

/** Everything that the page draws of a lane. */
export interface LaneState {
	/** Where the visitor's display is. */
	readonly display: string;
	readonly plugged: Readonly<Record<PluggedDevice, boolean>>;
	/** The agent has every device of the lane. */
	readonly ready: boolean;
	/** Whether the lock of a direction is open. */
	readonly open: Readonly<Record<Direction, boolean>>;
	/** The relay closes the unlock contact of either direction. */
	readonly pulsing: boolean;
	/** Visitors that went through. */
	readonly passages: Readonly<Record<Direction, number>>;
	readonly contacts: Readonly<Partial<Record<InputRole, boolean>>>;
	readonly lamps: readonly Lamp[];
	readonly mode: LaneMode;
	readonly alarms: readonly AlarmKind[];
	readonly emergency: boolean;
	/** Waiting for the staff button. */
	readonly confirming: boolean;
	readonly link: LinkState;
}

/** The PINs of those who sign in at the handheld, by their names. */
export interface StaffPins {
	readonly steward: string;
	readonly supervisor: string;
}

/** Everything that the page draws of the handheld. */
export interface HandheldState {
	/** Whether its page is there yet. */
	readonly page: 'building' | 'ready' | 'failed';
	/** The address that opens it, with a code that enrolls a browser which is not enrolled yet. */
	readonly open: string;
	/** The practice holds its way to the server cut. */
	readonly cut: boolean;
	/** Some browser is enrolled. */
	readonly enrolled: boolean;
	readonly pins: StaffPins;
}

/** Everything that the page draws of the lanes and the handheld. */
export interface PracticeState {
	/** `serial`: the real drivers on pseudo-terminals. `simulated`: what runs elsewhere than on Linux. */
	readonly devices: 'serial' | 'simulated';
	readonly lanes: Readonly<Record<LaneId, LaneState>>;
	readonly handheld: HandheldState;
	/** Changes when the sample tickets are new. */
	readonly ticketsVersion: number;
	/** IANA time zone in which times are written. */
	readonly timeZone: string;
}

/** One entry as the server has it. */
export interface EntryState {
	/** The lane's own name; another than ours for who came in before the practice began. */
	readonly lane: string;
	readonly rung: string;
	readonly atMs: number;
}

/** A ticket of the order as the server has it. */
export interface TicketState {
	readonly sample: OrderSample;
	readonly idx: number;
	readonly refunded: boolean;
	/** A gate has the right to it and has not said yet whether somebody went through. */
	readonly held: boolean;
	readonly used: boolean;
	readonly entries: readonly EntryState[];
}

/** What a person must look at, as the server has it. */
export interface CaseState {
	readonly id: string;
	readonly kind: 'double_entry' | 'refunded_after_entry' | 'cloned_device' | 'restored_disk';
	/** Why it came about, most likely. */
	readonly cause: 'out_of_reach' | 'staff_override' | 'claim_released' | 'not_told' | 'key_copied' | 'disk_restored';
	readonly idx?: number;
	readonly openedMs: number;
	readonly entries: readonly EntryState[];
	readonly outcome?: { readonly text: string; readonly atMs: number };
}

/** What the server of the practice knows. */
export interface ServerState {
	/** Order number of the tickets. */
	readonly order: string;
	readonly tickets: readonly TicketState[];
	/** The newest first. */
	readonly cases: readonly CaseState[];
}

/** Rows that were added to the journal of a lane, oldest first. */
export type PracticeRows = readonly JournalRow[];

/** Rows of a lane as they go over the wire. */
export interface LaneRows {
	readonly lane: LaneId;
	readonly rows: PracticeRows;
}

/** The longest outcome of a case. */
export const outcomeCharactersMax = 200;
