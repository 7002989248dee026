import { mkdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { destination, pino } from 'pino';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { openOutput } from '../commands/output.ts';
import { drawTerminal, qrCode, terminalColumns, terminalRows } from '../commands/qr.ts';
import { laneIds, type PracticeState } from './page/practice-wire.ts';
import { buildHandheldAside } from './practice-handheld-build.ts';
import { type PracticeServer, type PracticeServerOptions, startPracticeServer } from './practice-server.ts';
import { staffRoles } from './practice-staff.ts';
import { administrator } from './practice-ticket-server.ts';
import { type PracticeVenue, startPracticeVenue } from './practice-venue.ts';

/** What `npm start` runs when no configuration is given. */
export interface RunPractice {
	readonly dir: string;
	readonly port: number;
	/** Take a free port where `port` is taken. */
	readonly freePort: boolean;
}

/** Runs the practice venue and its page until Ctrl-C. */
export async function runPractice({ dir, port, freePort }: RunPractice): Promise<void> {
	const folder = resolve(dir);
	await mkdir(folder, { recursive: true });
	// The terminal is for the visitor's ticket; what the programs say goes where a technician would look.
	const log = pino({ base: { pid: process.pid } }, destination({ dest: join(folder, 'agent.log'), sync: true }));
	const serverLogFile = join(folder, 'server.log');
	let page: PracticeServer | undefined;
	const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
	const onChange = () => page?.changed();
	const builtHandheld = buildHandheldAside();
	// The venue says it on its page; until that stands nobody listens.
	builtHandheld.catch(() => {});
	const handheld = { builtHandheld, doorPort: doorPortOf(port) };
	const venue = await startPracticeVenue({ dir: folder, timeZone, log, serverLogFile, onChange, ...handheld });
	page = await serve({ port, venue, log }, freePort).catch(async (error: unknown) => {
		await venue.close();
		throw error;
	});
	greet(page.url, venue, folder);
	await stopped();
	process.stdout.write('\n');
	await page.close();
	await venue.close();
	process.exit(0);
}

async function serve(options: PracticeServerOptions, freePort: boolean): Promise<PracticeServer> {
	try {
		return await startPracticeServer(options);
	} catch (error) {
		const isTaken = error instanceof StilewardError && error.code === 'address_unavailable';
		if (!isTaken || !freePort) throw error;
		return startPracticeServer({ ...options, port: 0 });
	}
}

/** The door lies beside the page, at the same place in each run: a browser keeps its handheld by the address. */
function doorPortOf(port: number): number {
	return port === 0 || port === 65_535 ? 0 : port + 1;
}

function stopped(): Promise<void> {
	return new Promise((resolve) => {
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
	});
}

const about: Readonly<Record<PracticeState['devices'], string>> = {
	serial: 'Scanners and relay boards are emulated behind pseudo-terminals; the gates use their real serial drivers.',
	simulated: 'This system is not Linux: a file stands for a scanner, plain calls for a relay. Real devices need Linux.',
};

function greet(url: string, venue: PracticeVenue, folder: string): void {
	const out = openOutput(process.stdout, process.env);
	const { code } = venue.samples().adult;
	const qr = qrCode(code);
	const fits = out.columns !== undefined && out.columns >= terminalColumns(qr);
	const size = `${terminalColumns(qr)} × ${terminalRows(qr)}`;
	const { lanes, devices } = venue.state();
	const path = (...parts: readonly string[]) => relative('.', join(folder, ...parts));
	// The address comes last: a terminal of 24 rows must not scroll it away.
	const lines = [
		'',
		'  A ticket that opens one gate, once:',
		'',
		...(fits ? [drawTerminal(qr, out.color)] : []),
		...(out.isTerminal ? [`  (A terminal of ${size} or more shows its QR code whole.)`, ''] : []),
		`  ${code}`,
		'',
		...administratorLines(venue.server, out.isTerminal),
		...staffLines(venue.handheld, out.isTerminal, relative('.', venue.handheld.staff.file)),
		`  Visitor's displays       ${laneIds.map((id) => lanes[id].display).join('\n                           ')}`,
		`  Logs                     ${path('agent.log')}, ${path('server.log')}`,
		'',
		`  ${about[devices]}`,
		'',
		`  Handheld                 ${venue.handheld.address} (its first opening is by the link on the page)`,
		`  Stileward practice       ${url}`,
		'  One server, two gates, a handheld: present one ticket at each, refund it, cut the cable.',
		'  Ctrl-C ends it. With --config FILE the real lane runs.',
		'',
	];
	process.stdout.write(`${lines.join('\n')}\n`);
}

/** How to work at the server by the command line. The password is shown when it is made, and to a person only. */
function administratorLines(server: PracticeVenue['server'], isTerminal: boolean): readonly string[] {
	const { url, fingerprint, password, passwordFile, isNew } = server;
	const login = `login --server ${url} --fingerprint ${fingerprint} --name ${administrator}`;
	return [
		`  Its administrator        ${administrator}${isNew && isTerminal ? `, password ${password}` : ''}`,
		`  signs in by              npm run -s stileward -- ${login} --password-stdin < ${relative('.', passwordFile)}`,
		'                           then: … order issue, order refund, device list, case list, --help',
		'',
	];
}

/** Who signs in at the handheld. PINs are shown when they are made, and to a person only. */
function staffLines({ staff }: PracticeVenue['handheld'], isTerminal: boolean, file: string): readonly string[] {
	const { pins, isNew } = staff;
	const people = staffRoles.map((role) => `${role}${isNew && isTerminal ? `, PIN ${pins[role]}` : ''}`);
	return [`  Staff of the handheld    ${people.join('; ')}`, `  their PINs               ${file}`];
}
