import type { InputRole } from '../../../gate-agent/core/device.ts';
import type { LaneMode } from '../../../gate-agent/core/lane-state.ts';
import type { AlarmKind, Direction, JournalRow } from '../../../gate-agent/core/redemption.ts';

/** The sample codes of the practice lane, in the order in which the page lays them out. */
export const sampleNames = [
	'adult',
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

/** What a person at the practice lane does. Sent as JSON by the page, checked by the server. */
export type PracticeAction =
	| { readonly kind: 'present'; readonly sample: SampleName }
	| { readonly kind: 'present_text'; readonly text: string }
	| { readonly kind: 'new_tickets' }
	| { readonly kind: 'walk'; readonly direction: Direction }
	| { readonly kind: 'force' }
	/** `press` works a button for a moment, `set` a switch for good. */
	| { readonly kind: 'press'; readonly contact: 'staff_button' | 'emergency_reset' }
	| { readonly kind: 'set'; readonly contact: 'fire' | 'tamper'; readonly active: boolean }
	| { readonly kind: 'plug'; readonly device: PluggedDevice; readonly plugged: boolean }
	| { readonly kind: 'mode'; readonly mode: LaneMode };

/** The plugs that can be pulled: the scanner, and the relay board with the inputs on it. */
export type PluggedDevice = 'scanner' | 'board';

/** The lamps of the turnstile, by the relay channel that lights them. */
export type Lamp = 'green' | 'red' | 'amber' | 'buzzer';

/** Everything that the page draws. */
export interface PracticeState {
	/** Where the visitor's display is. */
	readonly display: string;
	/** `serial`: the real drivers on pseudo-terminals. `simulated`: what runs elsewhere than on Linux. */
	readonly devices: 'serial' | 'simulated';
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
	/** Changes when the sample tickets are new. */
	readonly ticketsVersion: number;
	/** IANA time zone in which the journal is written. */
	readonly timeZone: string;
}

/** Rows that were added to the journal, oldest first. */
export type PracticeRows = readonly JournalRow[];
