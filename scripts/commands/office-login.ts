import { signIn } from './office-client.ts';
import type { SessionOptions } from './office-options.ts';
import { keepSession } from './office-session.ts';
import { jsonLine, type Terminal } from './output.ts';
import { readPassword } from './password.ts';
import { localTime } from './times.ts';

/** The options of `login`. */
export interface LoginOptions extends SessionOptions {
	readonly server: string;
	readonly fingerprint: string;
	readonly name: string;
}

/** Signs in and keeps the session. */
export async function login(options: LoginOptions, terminal: Terminal): Promise<void> {
	const { server, fingerprint, name, profile, json } = options;
	const password = await readPassword(terminal);
	const session = await signIn({ url: server.replace(/\/$/, ''), fingerprint, name, password }, terminal);
	await keepSession(profile, session);
	const { url, venue, expiresMs } = session;
	const until = localTime(Math.floor(expiresMs / 1000));
	const text = `${name} is signed in at ${url} (${venue}) until ${until}\n`;
	await terminal.out.write(json ? jsonLine({ url, venue, name, profile, expiresMs }) : text);
}
