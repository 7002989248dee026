import type { LaneStatus } from './core/lane.ts';
import type { DeviceState } from './supervisor.ts';

/** What `/healthz` answers: `ok` (200 or 503) for a monitor, the rest for a technician. */
export interface Health {
	readonly ok: boolean;
	readonly version: string;
	readonly upSeconds: number;
	readonly lanes: Readonly<Record<string, LaneStatus>>;
	readonly devices: Readonly<Record<string, DeviceHealth>>;
	readonly ledger: { readonly ok: boolean; readonly problem?: string; readonly pendingWrites: number };
	readonly clock: { readonly trusted: boolean; readonly epoch: number; readonly doubt?: string };
	readonly keys: { readonly manifestVersion: number; readonly warnings: readonly string[] };
	readonly [detail: string]: unknown;
}

/** How one device is doing. */
export interface DeviceHealth {
	readonly state: DeviceState['kind'];
	readonly problem?: string;
	readonly hint?: string;
}

/** A device's state in words. */
export function deviceHealth(state: DeviceState): DeviceHealth {
	if (!('error' in state)) return { state: state.kind };
	return { state: state.kind, problem: state.error.message, hint: state.error.hint };
}
