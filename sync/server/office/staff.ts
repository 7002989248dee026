import { createAttemptLimit } from '../../../gate-agent/core/attempt-limit.ts';
import { staffSessionMs } from '../../protocol/staff.ts';
import type { Office } from './office.ts';
import { hashPassword, isPassword } from './password.ts';
import { hashToken, newSessionToken } from './session-token.ts';
import type { StaffKey, StaffMember, StaffRole } from './staff-book.ts';

/** PINs that are checked at once; each takes 32 MiB. Others are asked to come back. */
const checksMax = 4;

/** How long those are asked to wait. */
const busyMs = 1_000;

/**
 * Wrong PINs of one name, and of one device. Four digits stand up to guessing only because few guesses are free: after
 * these, one name gives way to about a hundred a day.
 */
const pinRule = { free: 5, firstMs: 30_000, lastMs: 900_000, windowMs: 3_600_000 } as const;

/** Somebody of the staff whose session holds. */
export interface SignedIn {
	readonly name: string;
	readonly role: StaffRole;
	readonly untilMs: number;
	readonly pinVersion: number;
}

/** What became of a sign-in. `busy`: come back in `retryMs`, whatever the PIN is. */
export type StaffSignIn =
	| ({ readonly kind: 'session'; readonly token: string } & SignedIn)
	| { readonly kind: 'refused' }
	| { readonly kind: 'busy'; readonly retryMs: number };

/** The people at the gates of a server. */
export interface Staff {
	/** False where somebody has the name. */
	add(member: StaffKey & { readonly role: StaffRole; readonly pin: string }): Promise<boolean>;
	/** Ends that person's sessions and gives the new version; undefined where nobody has the name. */
	setPin(key: StaffKey, pin: string): Promise<number | undefined>;
	signIn(attempt: StaffKey & { readonly pin: string; readonly device: string }): Promise<StaffSignIn>;
	/** Whose session at this device the token is. */
	signedIn(asked: {
		readonly venue: string;
		readonly token: string;
		readonly device: string;
	}): Promise<SignedIn | undefined>;
}

/** Signs staff in against an office. */
export function createStaff({ office, nowMs }: { office: Office; nowMs: () => number }): Staff {
	return {
		add: async ({ venue, name, role, pin }) => office.addStaff({ venue, name, role, pinHash: await hashPassword(pin) }),
		setPin: async (key, pin) => office.setStaffPin(key, await hashPassword(pin)),
		signIn: createSignIn(office, nowMs),
		signedIn: async ({ venue, token, device }) => {
			const found = await office.staffSession({ tokenHash: hashToken(token), venue, device }, nowMs());
			return found && signedInOf(found.member, found.expiresMs);
		},
	};
}

function createSignIn(office: Office, nowMs: () => number): Staff['signIn'] {
	const limit = createAttemptLimit(pinRule);
	let checks = 0;
	return async ({ venue, name, pin, device }) => {
		const keys = [`name ${venue} ${name}`, `device ${device}`];
		const retryMs = Math.max(...keys.map((key) => limit.waitMs(key, nowMs())));
		if (retryMs > 0) return { kind: 'busy', retryMs };
		if (checks >= checksMax) return { kind: 'busy', retryMs: busyMs };
		checks += 1;
		// Counted before the PIN is known to be right: guesses sent at once must not slip through together.
		for (const key of keys) limit.failed(key, nowMs());
		try {
			const member = await office.staffMember({ venue, name });
			// It takes as long for a name that nobody has, and for somebody who is disabled.
			const isRight = await isPassword(pin, member?.pinHash);
			const session = member && isRight ? await openSession(office, { member, device, nowMs: nowMs() }) : undefined;
			if (session === undefined) return { kind: 'refused' };
			for (const key of keys) limit.succeeded(key);
			return session;
		} finally {
			checks -= 1;
		}
	};
}

async function openSession(
	office: Office,
	{ member, device, nowMs }: { readonly member: StaffMember; readonly device: string; readonly nowMs: number },
): Promise<StaffSignIn | undefined> {
	const { venue, name, pinVersion } = member;
	const token = newSessionToken();
	const expiresMs = nowMs + staffSessionMs;
	const row = { tokenHash: hashToken(token), venue, name, device, expiresMs };
	const isOpen = await office.addStaffSession(row, pinVersion, nowMs);
	return isOpen ? { kind: 'session', token, ...signedInOf(member, expiresMs) } : undefined;
}

function signedInOf({ name, role, pinVersion }: StaffMember, untilMs: number): SignedIn {
	return { name, role, untilMs, pinVersion };
}
