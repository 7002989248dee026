import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { StilewardError } from '../../gate-agent/core/errors.ts';

/** A session with a server, as it is kept between commands. */
export interface OfficeSession {
	readonly url: string;
	/** The pin of the server. */
	readonly fingerprint: string;
	readonly name: string;
	readonly venue: string;
	readonly token: string;
	/** Milliseconds since 1970. */
	readonly expiresMs: number;
}

/** Keeps a session for later commands, readable by this user alone. */
export async function keepSession(profile: string, session: OfficeSession): Promise<void> {
	const path = pathOf(profile);
	await mkdir(home(), { recursive: true, mode: 0o700 });
	const temporary = `${path}.${process.pid}.tmp`;
	await writeFile(temporary, `${JSON.stringify(session)}\n`, { mode: 0o600 });
	await rename(temporary, path);
}

/** Reads a session. Throws `session_missing` where there is none or it has ended. */
export async function readSession(profile: string, nowMs: number): Promise<OfficeSession> {
	const session = await read(pathOf(profile));
	if (session === undefined) throw new StilewardError('session_missing', `nobody is signed in as profile ${profile}`);
	if (session.expiresMs <= nowMs) throw new StilewardError('session_missing', `the session of ${profile} has ended`);
	return session;
}

async function read(path: string): Promise<OfficeSession | undefined> {
	try {
		const session = JSON.parse(await readFile(path, 'utf8')) as OfficeSession;
		return typeof session.token === 'string' && typeof session.url === 'string' ? session : undefined;
	} catch {
		// A file that is damaged is as good as none; its text may hold the token.
		return undefined;
	}
}

function pathOf(profile: string): string {
	if (!/^[a-z0-9_-]{1,32}$/.test(profile)) {
		throw new StilewardError('usage', '--profile is 1 to 32 characters of a-z, 0-9, _ and -');
	}
	return join(home(), `session-${profile}.json`);
}

function home(): string {
	return process.env.STILEWARD_HOME || join(homedir(), '.stileward');
}
