import type { StilewardError } from '../core/errors.ts';
import type { SerialOptions } from '../serial/serial-port.ts';
import type { GpioRelayOptions } from './gpio-port.ts';
import type { HidRelayOptions } from './hid-relay-port.ts';

/** A board without a timer, as the coil watchdog holds it. Its law is that of `SerialLine`. */
export interface CoilPort {
	readonly lost: Promise<StilewardError>;
	/** Moves one coil; calls keep their order. Resolves when the board has it, as far as it can tell. */
	write(channel: number, closed: boolean): Promise<void>;
	/** Which coils are closed, channel 1 first; undefined where the board cannot tell. */
	read(): Promise<readonly boolean[] | undefined>;
	/** Channels that another program has held and handed over: a fire may be on. */
	readonly heldBefore?: readonly number[];
	/**
	 * For a board whose coils fall when its program ends: keeps them, and resolves when another program has taken them over.
	 * Absent where a board keeps its coils by itself.
	 */
	staysWhileHeld?(): Promise<void>;
}

/** Which board, and how it is reached: the argument of the coil watchdog. */
export type CoilPortOptions =
	| ({ readonly driver: 'serial-lcus' } & SerialOptions)
	| ({ readonly driver: 'hid-dcttech' } & HidRelayOptions)
	| ({ readonly driver: 'gpio' } & GpioRelayOptions);

/** Opens a board; its library is loaded here, so that a watchdog carries one alone. Rejects as the transports do. */
export async function openCoilPort(options: CoilPortOptions): Promise<CoilPort> {
	switch (options.driver) {
		case 'serial-lcus':
			return (await import('./lcus-port.ts')).openLcusPort(options);
		case 'hid-dcttech':
			return (await import('./hid-relay-port.ts')).openHidRelayPort(options);
		case 'gpio':
			return (await import('./gpio-port.ts')).openGpioPort(options);
	}
}

/** What a board is called in errors. */
export function coilPortName(options: CoilPortOptions): string {
	switch (options.driver) {
		case 'serial-lcus':
			return options.path;
		case 'hid-dcttech':
			return options.path ?? `${options.device ?? ''} ${options.serial ?? ''}`.trim();
		case 'gpio':
			return `${options.chip} ${options.lines.join(' ')}`;
	}
}
