/** What somebody of the staff may do at a device: a supervisor also admits against a refusal. */
export type StaffRole = 'steward' | 'supervisor';

/** Somebody who signs in at a device with a PIN. */
export interface StaffMember {
	readonly venue: string;
	/** `[a-z0-9._-]`, 1 to 32 characters. */
	readonly name: string;
	readonly role: StaffRole;
	/** As `hashPassword` wrote it. */
	readonly pinHash: string;
	/** Raised by each new PIN: a device forgets what it kept of an older one. */
	readonly pinVersion: number;
	readonly status: 'active' | 'disabled';
}

/** A session of staff at one device; its token is kept as its hash only. */
export interface StaffSession {
	readonly tokenHash: string;
	readonly venue: string;
	readonly name: string;
	/** The one device that the token holds at. */
	readonly device: string;
	readonly expiresMs: number;
}

/** Which of the staff. */
export interface StaffKey {
	readonly venue: string;
	readonly name: string;
}

/**
 * What a server keeps of the people at its gates. Laws: a new PIN raises `pinVersion`, and it and a disabling end that
 * person's sessions in the same transaction; everything is durable when its promise resolves.
 */
export interface StaffBook {
	/** False where somebody has the name: that row stays as it is. */
	addStaff(member: Omit<StaffMember, 'pinVersion' | 'status'>): Promise<boolean>;
	/** Gives the new version; undefined where nobody has the name. */
	setStaffPin(key: StaffKey, pinHash: string): Promise<number | undefined>;
	/** False where nobody has the name. */
	setStaffStatus(key: StaffKey, status: StaffMember['status']): Promise<boolean>;
	/** Everybody, by name. */
	staff(venue: string): Promise<readonly StaffMember[]>;
	staffMember(key: StaffKey): Promise<StaffMember | undefined>;
	/**
	 * Also forgets sessions that had ended at `nowMs`. False where the PIN has changed since `pinVersion` or the person was
	 * disabled: no session begins then.
	 */
	addStaffSession(session: StaffSession, pinVersion: number, nowMs: number): Promise<boolean>;
	/** Whose session at this device has not ended, and when it will. */
	staffSession(
		asked: Pick<StaffSession, 'tokenHash' | 'venue' | 'device'>,
		nowMs: number,
	): Promise<{ readonly member: StaffMember; readonly expiresMs: number } | undefined>;
}
