import type { CoilEdge } from '../../gate-agent/emulators/relay-board.ts';

/** What can be plugged into the guest: serial adapters with a scanner or a board behind them, and a keyboard. */
export type PluggedDevice = 'scanner' | 'relay' | 'bus' | 'keyboard';

/** All that the guest may ask of the world around it. */
export type HostRequest =
	| { readonly do: 'plug' | 'unplug'; readonly device: PluggedDevice }
	/** The scanner sends these bytes. */
	| { readonly do: 'send'; readonly hex: string }
	/** What the contacts of a board did so far; times are the host's. */
	| { readonly do: 'board'; readonly board: 'relay' | 'bus' }
	/** Wires an input of the board on the bus. */
	| { readonly do: 'contact'; readonly channel: number; readonly active: boolean }
	/** Keys of a US keyboard, pressed one after the other. */
	| { readonly do: 'type'; readonly text: string; readonly gapMs: number };

/** What the host answers. */
export interface HostAnswer {
	readonly error?: string;
	readonly edges?: readonly CoilEdge[];
	readonly nowMs?: number;
}
