import type { Direction } from '../core/redemption.ts';

/** The wires that leave a turnstile: passage outputs, its tamper switch, and what is wired beside it. */
export const turnstileContacts = ['passage', 'reverse', 'fire', 'tamper', 'staff_button', 'emergency_reset'] as const;
/** @see turnstileContacts */
export type TurnstileContact = (typeof turnstileContacts)[number];

/** What a turnstile is like. */
export interface TurnstileOptions {
	/** The turnstile's clock: calls back after `ms`; the returned function takes it back. */
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

/** Makes a turnstile that is shut. */
export function createTurnstile(options: TurnstileOptions): Turnstile {
	const { schedule, passageContactMs = 300, onContact = () => {}, onLock = () => {} } = options;
	const active = new Set<TurnstileContact>();
	const contactEnds = new Map<TurnstileContact, () => void>();
	const shown = { entry: false, exit: false };
	const passages = { entry: 0, exit: 0 };

	const isOpen = (direction: Direction) => active.has('fire') || locks[direction].isOpen();
	const refresh = () => {
		for (const direction of ['entry', 'exit'] as const) {
			const open = isOpen(direction);
			if (shown[direction] === open) continue;
			shown[direction] = open;
			onLock(direction, open);
		}
	};
	const locks = { entry: createLock(options, refresh), exit: createLock(options, refresh) };
	const setContact = (contact: TurnstileContact, on: boolean) => {
		if (active.has(contact) === on) return;
		if (on) active.add(contact);
		else active.delete(contact);
		onContact(contact, on);
		refresh();
	};
	const turn = (direction: Direction) => {
		const contact = direction === 'entry' ? 'passage' : 'reverse';
		passages[direction]++;
		contactEnds.get(contact)?.();
		// Visitors close behind each other still show as two closings.
		setContact(contact, false);
		setContact(contact, true);
		contactEnds.set(
			contact,
			schedule(passageContactMs, () => setContact(contact, false)),
		);
	};

	return {
		coil: (direction, closed) => locks[direction].coil(closed),
		isOpen,
		walkThrough(direction) {
			if (!isOpen(direction)) return false;
			turn(direction);
			locks[direction].spend();
			return true;
		},
		turnBack: isOpen,
		forceThrough: turn,
		setContact,
		contacts: () =>
			// Every contact of the list is given a value.
			Object.fromEntries(turnstileContacts.map((contact) => [contact, active.has(contact)])) as Record<
				TurnstileContact,
				boolean
			>,
		passages: (direction) => passages[direction],
	};
}

/** The lock of one direction: armed for one passage by a pulse, open for all while its coil is held. */
function createLock(options: TurnstileOptions, onChange: () => void) {
	const { schedule, passageWindowMs = 5000, pulseMinMs = 100, holdFromMs = 2000 } = options;
	let closed = false;
	let held = false;
	let armed = false;
	let cancelNotices = () => {};
	let cancelExpiry = () => {};

	const disarm = () => {
		cancelExpiry();
		armed = false;
		onChange();
	};
	const arm = () => {
		cancelExpiry();
		armed = true;
		cancelExpiry = schedule(passageWindowMs, disarm);
		onChange();
	};
	const hold = () => {
		held = true;
		onChange();
	};
	return {
		isOpen: () => held || armed,
		coil(now: boolean) {
			if (closed === now) return;
			closed = now;
			held = false;
			cancelNotices();
			const notices = closed ? [schedule(pulseMinMs, arm), schedule(holdFromMs, hold)] : [];
			cancelNotices = () => {
				for (const cancel of notices) cancel();
			};
			onChange();
		},
		/** A visitor went through: the pulse is used up. */
		spend: disarm,
	};
}
