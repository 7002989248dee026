import type { Case, Device } from '../../sync/server/store.ts';
import { signIn, withOffice } from './office-client.ts';
import { keepSession } from './office-session.ts';
import { jsonLine, type Terminal, table } from './output.ts';
import { readPassword } from './password.ts';
import { localTime } from './times.ts';

/** The options of `login`. */
export interface LoginOptions {
	readonly server: string;
	readonly fingerprint: string;
	readonly name: string;
	readonly profile: string;
	readonly json?: true;
}

/** The options of `device code` and `device list`. */
export interface DeviceOptions {
	readonly name: string;
	readonly minutes: number;
	readonly profile: string;
	readonly json?: true;
}

/** The options of `case list`. */
export type CaseOptions = Pick<DeviceOptions, 'profile' | 'json'>;

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

/** Makes a one-time code and says how a device uses it. */
export async function deviceCode({ name, minutes, profile, json }: DeviceOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		const { code, expiresMs } = await office.call({ method: 'POST', path: '/codes', body: { name, minutes } });
		const { url, fingerprint } = office.session;
		const how = `gate enroll --server ${url} --fingerprint ${fingerprint} --code ${code} --data DIR`;
		const text = `${code}\n\nOn ${name}, within ${minutes} minutes:\n  $ stileward ${how}\n`;
		await terminal.out.write(json ? jsonLine({ name, code, expiresMs, url, fingerprint }) : text);
	});
}

/** Lists devices. */
export async function listDevices({ profile, json }: DeviceOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		// The server's answer has this form.
		const { devices } = (await office.call({ method: 'GET', path: '/devices' })) as unknown as { devices: Device[] };
		const rows = devices.map(({ name, status, acceptedThrough, lastSeenMs, device }) => [
			name,
			status,
			String(acceptedThrough),
			lastSeenMs === undefined ? 'never' : localTime(Math.floor(lastSeenMs / 1000)),
			device,
		]);
		const text = table([['NAME', 'STATUS', 'ROWS', 'LAST SEEN', 'DEVICE'], ...rows]);
		await terminal.out.write(json ? devices.map(jsonLine).join('') : text);
	});
}

/** Lists cases. */
export async function listCases({ profile, json }: CaseOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		// The server's answer has this form.
		const { cases } = (await office.call({ method: 'GET', path: '/cases' })) as unknown as { cases: Case[] };
		const rows = cases.map(({ id, kind, evt, idx, over, openedMs, outcome }) => [
			localTime(Math.floor(openedMs / 1000)),
			kind,
			evt === undefined ? '' : `${evt}/${idx}`,
			over === undefined ? '' : `${over} too many`,
			outcome === undefined ? 'open' : outcome.text,
			id,
		]);
		const text = table([['OPENED', 'KIND', 'TICKET', 'OVER', 'OUTCOME', 'CASE'], ...rows]);
		await terminal.out.write(json ? cases.map(jsonLine).join('') : text);
	});
}
