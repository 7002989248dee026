import { type ErrorCode, errorHints } from './core/errors.ts';
import type { LaneStatus } from './core/lane.ts';
import type { LedgerHealth } from './ledger/ledger-on-disk.ts';
import type { DeviceState } from './supervisor.ts';

/** What `/healthz` answers: `ok` (200 or 503) for a monitor, the rest for a technician. */
export interface Health {
	readonly ok: boolean;
	readonly version: string;
	readonly upSeconds: number;
	readonly lanes: Readonly<Record<string, LaneStatus>>;
	readonly devices: Readonly<Record<string, DeviceHealth>>;
	readonly ledger: LedgerState;
	readonly clock: { readonly trusted: boolean; readonly epoch: number; readonly doubt?: string };
	readonly keys: {
		readonly manifestVersion: number;
		readonly warnings: readonly string[];
		/** Why a newer manifest is not taken. */
		readonly problem?: string;
	};
	readonly [detail: string]: unknown;
}

/** How the ledger is doing. `problem` is the code of the fault that keeps the gate shut until a write succeeds. */
export interface LedgerState {
	readonly ok: boolean;
	readonly problem?: ErrorCode | 'closed';
	readonly hint?: string;
	/** Facts that wait for the disk. */
	readonly pendingWrites: number;
	readonly integrity: LedgerHealth['integrity'];
	readonly rows: number;
	/** Refused scans whose rows wait for the disk. */
	readonly denialsWaiting: number;
	/** Where a damaged file was set aside. */
	readonly setAside?: string;
}

/** The state of the ledger in words. */
export function ledgerHealth(health: LedgerHealth, pendingWrites: number): LedgerState {
	const { state, integrity, rows, denialsWaiting, setAside } = health;
	return {
		ok: state === 'ok' && integrity !== 'damaged',
		...(state !== 'ok' && { problem: state }),
		...(state !== 'ok' && state !== 'closed' && { hint: errorHints[state] }),
		pendingWrites,
		integrity,
		rows,
		denialsWaiting,
		...(setAside !== undefined && { setAside }),
	};
}

/** How one device is doing. */
export interface DeviceHealth {
	readonly state: DeviceState['kind'];
	readonly code?: ErrorCode;
	readonly problem?: string;
	readonly hint?: string;
	/** What the device itself tells, e.g. `batteryPercent`. */
	readonly [detail: string]: string | number | undefined;
}

/** A device's state in words. */
export function deviceHealth(state: DeviceState): DeviceHealth {
	if (!('error' in state)) return { state: state.kind };
	const { code, message, hint } = state.error;
	return { state: state.kind, code, problem: message, hint };
}
