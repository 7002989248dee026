import type { TSchema } from 'typebox';
import type { StilewardError } from './errors.ts';
import type { Scan } from './scan.ts';

/** What the supervisor gives to every driver. */
export interface DriverIo {
	/** Monotonic milliseconds. */
	readonly nowMs: () => number;
	/** One line for a technician; never a code, a key or a name. */
	readonly log: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
}

/**
 * An open device. Its law: `lost` resolves once, with `device_lost`, when the device went away, and never rejects;
 * `close` resolves even when the device is gone and may be called twice; after either no event is delivered.
 */
export interface Device {
	readonly lost: Promise<StilewardError>;
	/** What a technician sees of it in health beside its state, such as its battery. */
	readonly details?: () => Readonly<Record<string, string | number>>;
	close(): Promise<void>;
}

/** A scanner delivers scans through the `onScan` it was opened with. */
export interface Scanner extends Device {
	/**
	 * Shows the verdict with the scanner's own beep, lamp or vibration; absent where it has none. It never throws, and
	 * says nothing while no scan of this scanner waits for its verdict: a lane with two scanners tells both.
	 */
	readonly signal?: (signal: Signal) => void;
}

/** How a coil is left: `on` ends with the agent where the driver can see to it, `hold` outlives the agent. */
export type CoilState = 'off' | 'on' | 'hold';

/** A board of relays. Channels count from 1. Every call has its own timeout and rejects with a `StilewardError`. */
export interface Relay extends Device {
	/** Who ends a pulse: the board's own timer, or a process on the host. */
	readonly pulseTiming: 'hardware' | 'host';
	readonly channels: number;
	/**
	 * Closes the channel for `ms` milliseconds. Resolves once the board has confirmed the start, or, where a board
	 * cannot confirm, once the bytes have left. The end comes by itself, also when the agent dies.
	 */
	pulse(channel: number, ms: number): Promise<void>;
	set(channel: number, state: CoilState): Promise<void>;
	/** Which coils are closed, channel 1 first; undefined where the board cannot tell. */
	read(): Promise<readonly boolean[] | undefined>;
}

/** What an input contact means. */
export const inputRoles = ['passage', 'reverse', 'fire', 'tamper', 'staff_button', 'emergency_reset'] as const;
/** @see inputRoles */
export type InputRole = (typeof inputRoles)[number];

/** The configured contacts of an input board: role → active. */
export type InputStates = Readonly<Partial<Record<InputRole, boolean>>>;

/** A board of contacts. It delivers each change once, debounced, through the `onChange` it was opened with. */
export interface Inputs extends Device {
	/** The states now, read from the board. */
	read(): Promise<InputStates>;
}

/** What lamps and buzzers tell the visitor and staff. */
export type Signal = 'idle' | 'granted' | 'cue' | 'refused' | 'wait' | 'out_of_service' | 'emergency';

/** Lamps and sounds. `signal` never throws: feedback that fails must not stop a visitor. */
export interface Feedback extends Device {
	signal(signal: Signal): void;
}

/**
 * A driver: one file, one factory. `options` checks its part of the configuration; `open` imports its library
 * lazily and rejects with `device_absent`, `device_busy`, `device_denied`, `device_timeout`, `device_protocol` or
 * `library_missing`.
 */
export interface Driver<Options, Events, Opened extends Device> {
	readonly name: string;
	readonly options: TSchema;
	open(options: Options, io: DriverIo & Events): Promise<Opened>;
}

/** What a scanner driver is opened with, beside `DriverIo`. */
export interface ScannerEvents {
	readonly onScan: (scan: Scan) => void;
}

/** What an input driver is opened with, beside `DriverIo`. */
export interface InputEvents {
	readonly onChange: (role: InputRole, active: boolean) => void;
	/** The contacts were not read for so long that a short closing may have been missed. */
	readonly onUnseen?: () => void;
}
