import type { Direction } from '../core/redemption.ts';

/** The wires that leave a turnstile: passage outputs, its tamper switch, and what is wired beside it. */
export const turnstileContacts = ['passage', 'reverse', 'fire', 'tamper', 'staff_button', 'emergency_reset'] as const;
/** @see turnstileContacts */
export type TurnstileContact = (typeof turnstileContacts)[number];

/** What a turnstile is like. */
export interface TurnstileOptions {
	/** Monotonic milliseconds. */
	readonly nowMs: () => number;
	/** Calls back after `ms`; the returned function takes it back. */
	readonly schedule: (ms: number, callback: () => void) => () => void;
	/** How long one pulse keeps it open for one passage. */
	readonly passageWindowMs?: number;
	/** A shorter closing of the coil is not noticed. */
	readonly pulseMinMs?: number;
	/** A coil closed for longer than this keeps it open, passage after passage. */
	readonly holdFromMs?: number;
	/** How long the passage contact is active for one visitor. */
	readonly passageContactMs?: number;
	readonly onContact?: (contact: TurnstileContact, active: boolean) => void;
	/** The lock of one direction opened or shut. */
	readonly onLock?: (direction: Direction, open: boolean) => void;
}

/**
 * A tripod turnstile in pulse mode, as PERCo builds them: one pulse of at least 100 ms opens it for one passage, or
 * for 5 s. Its fire input opens both directions in wiring, without the agent.
 */
export interface Turnstile {
	/** The relay contact at the unlock input of one direction. */
	coil(direction: Direction, closed: boolean): void;
	isOpen(direction: Direction): boolean;
	/** A visitor pushes the arm: true when it turned, and the passage contact tells. */
	walkThrough(direction: Direction): boolean;
	/** A visitor steps back: nothing turns, and the lock waits for its time. False when it was shut anyway. */
	turnBack(direction: Direction): boolean;
	/** Someone breaks or climbs through: the arm turns whatever the lock says. */
	forceThrough(direction: Direction): void;
	/** Works a contact by hand: the fire panel, the lid, the buttons. */
	setContact(contact: TurnstileContact, active: boolean): void;
	contacts(): Readonly<Record<TurnstileContact, boolean>>;
	/** Visitors that really went through: what a test counts. */
	passages(direction: Direction): number;
}

interface Lock {
	closedSinceMs: number | undefined;
	/** Opens for one passage until then. */
	oneUntilMs: number;
	open: boolean;
	passages: number;
	cancelNotice: () => void;
	cancelExpiry: () => void;
}

/** Makes a turnstile that is shut. */
export function createTurnstile(options: TurnstileOptions): Turnstile {
	const { nowMs, schedule, passageWindowMs = 5000, pulseMinMs = 100, holdFromMs = 2000 } = options;
	const { passageContactMs = 200, onContact = () => {}, onLock = () => {} } = options;
	const locks: Readonly<Record<Direction, Lock>> = { entry: shutLock(), exit: shutLock() };
	const active = new Set<TurnstileContact>();
	const ends = new Map<TurnstileContact, () => void>();

	const held = (lock: Lock) => lock.closedSinceMs !== undefined && nowMs() - lock.closedSinceMs >= holdFromMs;
	const shouldOpen = (lock: Lock) => active.has('fire') || held(lock) || nowMs() < lock.oneUntilMs;
	const refresh = () => {
		for (const direction of ['entry', 'exit'] as const) {
			const lock = locks[direction];
			const open = shouldOpen(lock);
			if (lock.open === open) continue;
			lock.open = open;
			onLock(direction, open);
		}
	};
	const unlock = (lock: Lock) => {
		lock.oneUntilMs = nowMs() + passageWindowMs;
		lock.cancelExpiry();
		lock.cancelExpiry = schedule(passageWindowMs, refresh);
		refresh();
	};
	const setContact = (contact: TurnstileContact, on: boolean) => {
		if (active.has(contact) === on) return;
		if (on) active.add(contact);
		else active.delete(contact);
		onContact(contact, on);
		refresh();
	};
	const turn = (direction: Direction) => {
		const contact = direction === 'entry' ? 'passage' : 'reverse';
		locks[direction].passages++;
		ends.get(contact)?.();
		// Visitors close behind each other still show as two closings.
		setContact(contact, false);
		setContact(contact, true);
		ends.set(
			contact,
			schedule(passageContactMs, () => setContact(contact, false)),
		);
	};

	return {
		coil(direction, closed) {
			const lock = locks[direction];
			if ((lock.closedSinceMs !== undefined) === closed) return;
			lock.cancelNotice();
			lock.closedSinceMs = closed ? nowMs() : undefined;
			if (closed) {
				const cancelUnlock = schedule(pulseMinMs, () => unlock(lock));
				const cancelHold = schedule(holdFromMs, refresh);
				lock.cancelNotice = () => {
					cancelUnlock();
					cancelHold();
				};
			}
			refresh();
		},
		isOpen: (direction) => shouldOpen(locks[direction]),
		walkThrough(direction) {
			const lock = locks[direction];
			if (!shouldOpen(lock)) return false;
			lock.cancelExpiry();
			lock.oneUntilMs = Number.NEGATIVE_INFINITY;
			turn(direction);
			refresh();
			return true;
		},
		turnBack: (direction) => shouldOpen(locks[direction]),
		forceThrough: turn,
		setContact,
		contacts: () =>
			Object.fromEntries(turnstileContacts.map((contact) => [contact, active.has(contact)])) as Record<
				TurnstileContact,
				boolean
			>,
		passages: (direction) => locks[direction].passages,
	};
}

function shutLock(): Lock {
	return {
		closedSinceMs: undefined,
		oneUntilMs: Number.NEGATIVE_INFINITY,
		open: false,
		passages: 0,
		cancelNotice: () => {},
		cancelExpiry: () => {},
	};
}
