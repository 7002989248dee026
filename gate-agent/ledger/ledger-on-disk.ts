import type { DriverIo } from '../core/device.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Ledger } from '../core/ledger.ts';
import type { LedgerReport } from './verify-file.ts';

/** How a ledger on disk is opened. */
export interface SqliteLedgerOptions {
	/** The data folder; it is made where it is missing. One agent at a time. */
	readonly dir: string;
	/** The agent's name. */
	readonly device: string;
	/** A new random name, for a journal that starts from nothing. */
	readonly newEpoch: () => string;
	/**
	 * One line for a technician: `ledger_set_aside`, `ledger_fault`, `ledger_recovered`, `ledger_verified`,
	 * `ledger_damaged`, `ledger_verification_failed`, `ledger_checkpoint_failed`, `denials_waiting`, `denials_lost`.
	 */
	readonly log: DriverIo['log'];
	/** The clock that `atMs` comes from, in milliseconds since 1970; the system's where it is absent. */
	readonly nowMs?: () => number;
	/** The file grows no larger than this; at the limit the ledger is full. */
	readonly maxBytes?: number;
	/** Told after a commit that wrote rows of the journal. It must return at once: a visitor waits. */
	readonly onRows?: () => void;
	/** Whether the whole file is verified in the background after the start. Default true. */
	readonly verifyAtStart?: boolean;
}

/** What the agent tells of its ledger. */
export interface LedgerHealth {
	/** `ok`, or the fault that keeps the gate shut until a write succeeds. */
	readonly state: 'ok' | 'closed' | ErrorCode;
	readonly integrity: 'unchecked' | 'checking' | 'whole' | 'damaged';
	readonly rows: number;
	/** Bytes of the write-ahead log that no checkpoint has copied back. */
	readonly walBytes: number;
	/** Denials whose rows wait for the disk. */
	readonly denialsWaiting: number;
	/** Where the newest file that was set aside lies. */
	readonly setAside?: string;
}

/** The ledger of an agent on disk. */
export interface SqliteLedger extends Ledger {
	/**
	 * Writes a verified copy, in a thread of its own. Rejects with `usage` where the path exists, `ledger_full`,
	 * `ledger_io` or `ledger_corrupt`.
	 */
	backup(path: string): Promise<void>;
	health(): LedgerHealth;
	/** The result of the verification after the start; undefined where there was none or it was stopped. */
	readonly verified: Promise<LedgerReport | undefined>;
}
