import type { ErrorCode } from '../../../gate-agent/core/errors.ts';
import type { Ledger } from '../../../gate-agent/core/ledger.ts';
import type { Later } from './denial-writer.ts';
import type { LedgerHold } from './hold.ts';
import type { ChainReport } from './verify-chain.ts';

/** How a ledger in the browser is opened. */
export interface IndexedDbLedgerOptions {
	/** The right to write the ledger of its name (`holdLedger`). The ledger gives it back when it is closed. */
	readonly hold: LedgerHold;
	/** The device's name. */
	readonly device: string;
	/** A new random name, for a journal that starts from nothing. */
	readonly newEpoch: () => string;
	/**
	 * One line for a technician: `ledger_set_aside`, `ledger_fault`, `ledger_recovered`, `ledger_blocked`,
	 * `ledger_verified`, `ledger_damaged`, `ledger_verification_failed`, `denials_waiting`, `denials_lost`.
	 */
	readonly log: (event: string, fields: Readonly<Record<string, unknown>>) => void;
	/** The clock that `atMs` comes from, in milliseconds since 1970; the system's where it is absent. */
	readonly nowMs?: () => number;
	/** The timer of denials; the browser's where it is absent. */
	readonly later?: Later;
	/** Told after a commit that wrote rows of the journal. It must return at once: a visitor waits. */
	readonly onRows?: () => void;
	/** Whether the whole chain is followed in the background after the start. Default true. */
	readonly verifyAtStart?: boolean;
}

/** What the handheld tells of its ledger. */
export interface LedgerHealth {
	/** `ok`, or the fault that keeps it from admitting until a write succeeds; `ledger_busy` once another tab has it. */
	readonly state: 'ok' | 'closed' | ErrorCode;
	readonly integrity: 'unchecked' | 'checking' | 'whole' | 'damaged';
	readonly rows: number;
	/** Denials whose rows wait to be written. */
	readonly denialsWaiting: number;
	/** The newest database that was set aside. */
	readonly setAside?: string;
}

/** The ledger of a handheld, in the browser. */
export interface IndexedDbLedger extends Ledger {
	health(): LedgerHealth;
	/** What the check of the whole chain found after the start; undefined where there was none or it was stopped. */
	readonly verified: Promise<ChainReport | undefined>;
}
