/** How often a ticket of this class may be used, and what the count is kept on. */
export type AllowanceRule = 'ticket' | 'day' | 'session' | 'zone';

/**
 * The rules of one ticket class. Every field has a default (`classPolicyDefaults`), so `{}` is an ordinary
 * one-entry ticket.
 */
export interface ClassPolicy {
	/** What a use is counted on: the whole ticket, the venue day (annual passes), the session or the zone. */
	readonly allowance: AllowanceRule;
	/** `after_exit`: an exit scan permits one re-entry on the same venue day without a use. */
	readonly reentry: 'none' | 'after_exit';
	/** `cue` shows staff a hint and opens; `confirm` waits for the staff button before anything is redeemed. */
	readonly lane: 'open' | 'cue' | 'confirm';
	/** What staff check for, shown with `cue` and `confirm`. */
	readonly cue?: Cue;
	/** `run`: one scan keeps the lane admitting until the uses end, the guide stops it or it times out. */
	readonly group: 'single' | 'run';
	/** Whether a ticket is admitted on the lane's own word while the authority is out of reach. */
	readonly offline: 'admit' | 'refuse';
	/** Admissions on the rung `local` per lane and clock hour before it alarms; absent means no limit. */
	readonly unverifiedPerHour?: number;
	/** What happens at that limit. */
	readonly unverifiedLimit: 'alarm' | 'refuse';
	/** Only the ticket's home agent ever admits it. */
	readonly homeOnly: boolean;
	/** Whether a use is given back when nobody passed. At most `giveBackMax` times per allowance. */
	readonly giveBack: boolean;
	/** How long the lane waits for the passage, for wheelchairs and pushchairs; absent means the lane's own. */
	readonly passageTimeoutMs?: number;
	/** What to do when the clock cannot tell whether the ticket has begun. */
	readonly clockUntrusted: 'admit' | 'refuse';
}

/** What a cue asks staff to look at. */
export type Cue = 'check_height' | 'check_id' | 'check_card' | 'assist' | 'welcome';

/** A use is given back at most this often per allowance, so that a ticket cannot be tried forever. */
export const giveBackMax = 2;

/** An ordinary ticket: one entry, opens at once, admitted offline. */
export const classPolicyDefaults: ClassPolicy = {
	allowance: 'ticket',
	reentry: 'none',
	lane: 'open',
	group: 'single',
	offline: 'admit',
	unverifiedLimit: 'alarm',
	homeOnly: false,
	giveBack: true,
	clockUntrusted: 'admit',
};

/** A session's window in milliseconds since 1970. It overrides `nbf` and `exp` of its tickets. */
export interface SessionPolicy {
	readonly fromMs: number;
	readonly untilMs: number;
	/** Latecomers are still admitted for this long after `untilMs`. */
	readonly graceMs: number;
	/** A rain delay moves the whole window by this much. */
	readonly postponedMs: number;
}

/** The rules of one event at one venue. */
export interface Policy {
	readonly evt: string;
	/** IANA time zone of the venue, e.g. `Asia/Shanghai`. */
	readonly timeZone: string;
	/** Minutes after midnight at which a venue day starts, e.g. 240 where the night market closes at three. */
	readonly dayStartsAtMinutes: number;
	readonly classes: Readonly<Record<string, ClassPolicy>>;
	/** `admit` treats a class without an entry as an ordinary ticket; `staff` sends it to staff. */
	readonly unknownClass: 'admit' | 'staff';
	readonly sessions: Readonly<Record<string, SessionPolicy>>;
	/** People inside at once at most; only the authority can count them. Absent means no limit. */
	readonly capacity?: number;
	/** How old the lists of a gate without the authority may be before they count as stale; absent means any age. */
	readonly listAgeMaxMinutes?: number;
	/** What a gate with stale lists does with tickets that the authority has not confirmed. Absent means `alarm`. */
	readonly staleList?: 'alarm' | 'refuse';
}

/** The rules of a class: its entry, else the defaults, else undefined where an unknown class goes to staff. */
export function classPolicyOf(policy: Policy, cls: string): ClassPolicy | undefined {
	// `hasOwn`: a class named `constructor` must not find the one of Object.prototype.
	if (Object.hasOwn(policy.classes, cls)) return policy.classes[cls];
	return policy.unknownClass === 'admit' ? classPolicyDefaults : undefined;
}

/** The rules of a session, or undefined where the policy does not know it. */
export function sessionPolicyOf(policy: Policy, ses: string): SessionPolicy | undefined {
	return Object.hasOwn(policy.sessions, ses) ? policy.sessions[ses] : undefined;
}
