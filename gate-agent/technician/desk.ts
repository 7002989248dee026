import type { Direction } from '../core/redemption.ts';

/** One line of facts: a name that the page has words for, and what is so. */
export type Facts = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a lane is doing. */
export interface DeskLane {
	readonly id: string;
	readonly mode: string;
	readonly phase: string;
	readonly fire: string;
	readonly emergency: boolean;
	readonly sensor: string;
	readonly missing: readonly string[];
	readonly alarms: readonly string[];
	/** Ways that its relay opens; empty for a lane without a gate. */
	readonly opens: readonly Direction[];
	/** Its contacts: role → closed. Absent while its board is not there. */
	readonly inputs?: Readonly<Record<string, boolean>>;
}

/** How a device is doing. */
export interface DeskDevice {
	readonly name: string;
	readonly state: string;
	readonly problem?: string;
	readonly hint?: string;
	readonly details: Facts;
}

/** What became of one scan. Never the code: what kind it was. */
export interface DeskScan {
	/** Milliseconds since 1970, by the gate's clock. */
	readonly atMs: number;
	readonly lane: string;
	/** `ticket`, `unreadable`, or what a code that is none looks like. */
	readonly kind: string;
	readonly verdict: 'granted' | 'refused';
	readonly reason?: string;
}

/** All that the page shows, at one moment. */
export interface DeskState {
	readonly nowMs: number;
	/** IANA time zone of the venue. */
	readonly timeZone: string;
	readonly gate: Facts;
	readonly clock: Facts;
	/** Absent on a gate that stands alone. */
	readonly venue?: Facts;
	/** Absent where the server never pushed one. */
	readonly config?: Facts;
	readonly ledger: Facts;
	readonly lanes: readonly DeskLane[];
	readonly devices: readonly DeskDevice[];
	/** The newest first. */
	readonly scans: readonly DeskScan[];
	/** Lines of the log as they were written, the newest first. */
	readonly log: readonly string[];
}

/** A test of a lane's relay that a technician asks for. */
export interface RelayTestRequest {
	readonly lane: string;
	readonly direction: Direction;
	/** The technician has said that nobody stands in the gate. */
	readonly isClear: boolean;
}

/** What became of it. `not_clear`: the lane takes visitors, and nobody has said that the gate is clear. */
export type RelayTestResult =
	| { readonly kind: 'pulsed' }
	| { readonly kind: 'refused'; readonly why: 'emergency' | 'in_use' | 'not_clear' | 'no_relay' | 'no_lane' | 'ledger' }
	| { readonly kind: 'failed'; readonly problem: string; readonly hint: string };

/** The gate as its page sees it and reaches into it. */
export interface Desk {
	state(): DeskState;
	/** Writes it down as the act of a technician, and then pulses the relay. */
	testRelay(request: RelayTestRequest): Promise<RelayTestResult>;
}
