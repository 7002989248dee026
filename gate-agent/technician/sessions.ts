import { createHash, randomBytes } from 'node:crypto';

/** How long somebody stays signed in: the work of one visit to the gate. */
export const sessionMs = 30 * 60_000;

/** People who are signed in at once; the oldest is signed out first. */
const sessionsMax = 8;

const cookieName = 'stileward_technician';

/** Who is signed in, in memory alone: a new start of the gate signs everybody out. */
export interface Sessions {
	/** Opens a session and gives its cookie. */
	open(nowMs: number): string;
	/** The session that the cookies of a request name, as a key; undefined where there is none any more. */
	find(cookies: string | undefined, nowMs: number): string | undefined;
	/** Whether a session that was found goes on. */
	lives(session: string, nowMs: number): boolean;
	/** Ends a session and gives the cookie that says so. */
	end(session: string): string;
	endAll(): void;
}

/** Makes an empty set. Tokens have 256 random bits and are kept as their hash, so that comparing them tells no time. */
export function createSessions(): Sessions {
	const untilMs = new Map<string, number>();
	const lives = (session: string, nowMs: number) => (untilMs.get(session) ?? 0) > nowMs;
	return {
		open: (nowMs) => {
			const token = randomBytes(32).toString('base64url');
			untilMs.set(keyOf(token), nowMs + sessionMs);
			const [oldest] = untilMs.keys();
			if (untilMs.size > sessionsMax && oldest !== undefined) untilMs.delete(oldest);
			return cookieOf(token, sessionMs / 1000);
		},
		find: (cookies, nowMs) => {
			const token = tokenIn(cookies);
			const session = token === undefined ? undefined : keyOf(token);
			return session !== undefined && lives(session, nowMs) ? session : undefined;
		},
		lives,
		end: (session) => {
			untilMs.delete(session);
			return cookieOf('', 0);
		},
		endAll: () => untilMs.clear(),
	};
}

function keyOf(token: string): string {
	return createHash('sha256').update(token).digest('base64url');
}

/** The page is plain HTTP on the gate's own network, so the cookie cannot be `Secure`. */
function cookieOf(token: string, seconds: number): string {
	return `${cookieName}=${token}; Path=/technician; Max-Age=${seconds}; HttpOnly; SameSite=Strict`;
}

function tokenIn(cookies = ''): string | undefined {
	const found = cookies.split(';').map((each) => each.trim().split('='));
	return found.find(([name]) => name === cookieName)?.[1];
}
