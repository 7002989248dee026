import type { StaffBook } from './staff-book.ts';

/** What an operator may do. An administrator may do everything. */
export type Role = 'administrator';

/** A person who signs in. */
export interface Operator {
	readonly venue: string;
	/** `[a-z0-9._-]`, 1 to 32 characters. */
	readonly name: string;
	readonly role: Role;
	/** As `hashPassword` wrote it. */
	readonly passwordHash: string;
}

/** A session of an operator; its token is kept as its hash only. */
export interface Session {
	/** SHA-256 of the token, base64url. */
	readonly tokenHash: string;
	readonly venue: string;
	readonly operator: string;
	readonly expiresMs: number;
}

/** One privileged act, written before it is done: no act is without its row. */
export interface AuditRow {
	readonly venue: string;
	readonly atMs: number;
	/** Who did it; the acts of staff at a device begin with `staff.`. */
	readonly operator: string;
	/** `order.issue`, `device.disable`. */
	readonly act: string;
	/** What it was done to: an order, a device, a ticket by its number. Never the text of a ticket or a key. */
	readonly subject: string;
	/** The request that asked for it, as in the log. */
	readonly request: string;
}

/**
 * What a server keeps of the people who run it. Laws: a replaced password ends that operator's sessions in the same
 * transaction; audit rows are only ever added; everything is durable when its promise resolves.
 */
export interface Office extends StaffBook {
	putOperator(operator: Operator): Promise<void>;
	operator(venue: string, name: string): Promise<Operator | undefined>;
	/** Also forgets sessions that had ended at `nowMs`. */
	addSession(session: Session, nowMs: number): Promise<void>;
	/** The operator of a session that has not ended. */
	sessionOperator(tokenHash: string, nowMs: number): Promise<Operator | undefined>;
	endSession(tokenHash: string): Promise<void>;
	addAudit(row: AuditRow): Promise<void>;
	/** The newest rows first, at most `limit`. */
	audit(venue: string, limit: number): Promise<readonly AuditRow[]>;
	close(): Promise<void>;
}
