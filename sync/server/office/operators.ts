import { createAttemptLimit } from '../../../gate-agent/core/attempt-limit.ts';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { Office, Operator, Role } from './office.ts';
import { hashPassword, isPassword, passwordCharacters } from './password.ts';
import { hashToken, newSessionToken } from './session-token.ts';

/** How long a session lasts: a working day with its overtime. */
export const sessionMs = 12 * 3_600_000;

/** Passwords that are checked at once; each takes 32 MiB. Others are asked to come back. */
export const checksMax = 4;

/** Failures of one name from one address, and of one address or one name whatever the other is. */
const pairRule = { free: 5, firstMs: 30_000, lastMs: 900_000, windowMs: 900_000 } as const;
const addressRule = { free: 20, firstMs: 60_000, lastMs: 900_000, windowMs: 900_000 } as const;
/** Guesses from many addresses; the limit is high, because whoever reaches it also locks the operator out. */
const nameRule = { free: 100, firstMs: 60_000, lastMs: 300_000, windowMs: 3_600_000 } as const;

/** What became of a login. `busy`: come back in `retryMs`, whatever the password is. */
export type Login =
	| { readonly kind: 'session'; readonly token: string; readonly expiresMs: number; readonly role: Role }
	| { readonly kind: 'refused' }
	| { readonly kind: 'busy'; readonly retryMs: number };

/** The people of a server. */
export interface Operators {
	/** Makes an operator or gives a new password, which ends the operator's sessions. Throws `usage`. */
	put(operator: { venue: string; name: string; role: Role; password: string }): Promise<void>;
	login(attempt: { venue: string; name: string; password: string; address: string }): Promise<Login>;
	/** The operator whose session this token is. */
	operatorOf(token: string): Promise<Operator | undefined>;
	logout(token: string): Promise<void>;
}

/** Signs people in against an office. */
export function createOperators({ office, nowMs }: { office: Office; nowMs: () => number }): Operators {
	return {
		put: (operator) => putOperator(office, operator),
		login: createLogin(office, nowMs),
		operatorOf: (token) => office.sessionOperator(hashToken(token), nowMs()),
		logout: (token) => office.endSession(hashToken(token)),
	};
}

async function putOperator(office: Office, operator: Parameters<Operators['put']>[0]): Promise<void> {
	const { venue, name, role, password } = operator;
	if (!/^[a-z0-9._-]{1,32}$/.test(name)) {
		throw new StilewardError('usage', 'an operator’s name is 1 to 32 characters of a-z, 0-9, dot, _ and -');
	}
	const { length } = [...password];
	if (length < passwordCharacters.min || length > passwordCharacters.max) {
		const { min, max } = passwordCharacters;
		throw new StilewardError('usage', `a password has ${min} to ${max} characters`);
	}
	await office.putOperator({ venue, name, role, passwordHash: await hashPassword(password) });
}

function createLogin(office: Office, nowMs: () => number): Operators['login'] {
	const limits = [pairRule, addressRule, nameRule].map(createAttemptLimit);
	let checks = 0;
	return async ({ venue, name, password, address }) => {
		const keys = [`${address} ${venue} ${name}`, address, `${venue} ${name}`];
		const retryMs = Math.max(...limits.map((limit, at) => limit.waitMs(keys[at] ?? '', nowMs())));
		if (retryMs > 0) return { kind: 'busy', retryMs };
		if (checks >= checksMax) return { kind: 'busy', retryMs: 1_000 };
		checks += 1;
		// Counted before the password is known to be right: guesses sent at once must not slip through together.
		limits.forEach((limit, at) => void limit.failed(keys[at] ?? '', nowMs()));
		try {
			const operator = await office.operator(venue, name);
			const isRight = await isPassword(password.slice(0, passwordCharacters.max), operator?.passwordHash);
			if (!operator || !isRight) return { kind: 'refused' };
			limits.forEach((limit, at) => void limit.succeeded(keys[at] ?? ''));
			return { kind: 'session', role: operator.role, ...(await openSession(office, operator, nowMs())) };
		} finally {
			checks -= 1;
		}
	};
}

async function openSession(office: Office, { venue, name }: Operator, nowMs: number) {
	const token = newSessionToken();
	const expiresMs = nowMs + sessionMs;
	await office.addSession({ tokenHash: hashToken(token), venue, operator: name, expiresMs }, nowMs);
	return { token, expiresMs };
}
