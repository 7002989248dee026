import { mkdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { destination, pino } from 'pino';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { openOutput } from '../commands/output.ts';
import { drawTerminal, qrCode, terminalColumns, terminalRows } from '../commands/qr.ts';
import type { PracticeState } from './page/practice-wire.ts';
import { type PracticeLane, startPracticeLane } from './practice-lane.ts';
import { type PracticeServer, type PracticeServerOptions, startPracticeServer } from './practice-server.ts';

/** What `npm start` runs when no configuration is given. */
export interface RunPractice {
	readonly dir: string;
	readonly port: number;
	/** Take a free port where `port` is taken. */
	readonly freePort: boolean;
}

/** Runs the practice lane and its page until Ctrl-C. */
export async function runPractice({ dir, port, freePort }: RunPractice): Promise<void> {
	const folder = resolve(dir);
	await mkdir(folder, { recursive: true });
	const logFile = join(folder, 'agent.log');
	// The terminal is for the visitor's ticket; what the agent says goes where a technician would look.
	const log = pino({ base: { pid: process.pid } }, destination({ dest: logFile, sync: true }));
	let server: PracticeServer | undefined;
	const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
	const lane = await startPracticeLane({ dir: folder, timeZone, log, onChange: () => server?.changed() });
	server = await serve({ port, lane, log }, freePort).catch(async (error: unknown) => {
		await lane.close();
		throw error;
	});
	greet(server.url, lane, logFile);
	await stopped();
	process.stdout.write('\n');
	await server.close();
	await lane.close();
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

function stopped(): Promise<void> {
	return new Promise((resolve) => {
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
	});
}

const about: Readonly<Record<PracticeState['devices'], string>> = {
	serial: 'Scanner and relay board are emulated behind pseudo-terminals; the agent uses its real serial drivers.',
	simulated:
		'This system is not Linux: a file stands for the scanner, plain calls for the relay. Real devices need Linux.',
};

function greet(url: string, lane: PracticeLane, logFile: string): void {
	const out = openOutput(process.stdout, process.env);
	const { code } = lane.samples().adult;
	const qr = qrCode(code);
	const fits = out.columns !== undefined && out.columns >= terminalColumns(qr);
	const size = `${terminalColumns(qr)} × ${terminalRows(qr)}`;
	const { display, devices } = lane.state();
	// The address comes last: a terminal of 24 rows must not scroll it away.
	const lines = [
		'',
		'  A valid ticket:',
		'',
		...(fits ? [drawTerminal(qr, out.color)] : []),
		...(out.isTerminal ? [`  (A terminal of ${size} or more shows its QR code whole.)`, ''] : []),
		`  ${code}`,
		'',
		`  Stileward practice lane  ${url}`,
		`  Visitor's display        ${display}`,
		`  Log                      ${relative('.', logFile)}`,
		'',
		`  ${about[devices]}`,
		'  Ctrl-C ends it. With --config FILE the real lane runs.',
		'',
	];
	process.stdout.write(`${lines.join('\n')}\n`);
}
