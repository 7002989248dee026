import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { deviceIo } from '../../gate-agent/checks/device-io.ts';
import { checkDeviceSettings } from '../../gate-agent/config.ts';
import type { InputRole } from '../../gate-agent/core/device.ts';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { Scan } from '../../gate-agent/core/scan.ts';
import { type AgentIo, drivers } from '../../gate-agent/drivers.ts';
import { classOf, describeScan } from '../setup/describe-scan.ts';
import { type PulseResult, pulseOnce } from '../setup/try-relay.ts';
import { exitCodes } from './exit.ts';
import { jsonLine, paint, type Terminal } from './output.ts';

/** The options of `devices test`. */
export interface DeviceTestOptions {
	readonly model?: string;
	readonly driver?: string;
	readonly set?: readonly string[];
	readonly channel: number;
	readonly pulse: number;
	readonly seconds: number;
	readonly show?: true;
	readonly json?: true;
}

const kinds = ['scanner', 'relay', 'inputs'] as const;

/** Tries one device with the driver that a lane would use. Throws what the driver rejects with, and `usage`. */
export async function testDevice(kind: string, options: DeviceTestOptions, terminal: Terminal): Promise<void> {
	const known = kinds.find((each) => each === kind);
	if (known === undefined) throw new StilewardError('usage', `there is no kind ${kind}: use scanner, relay or inputs`);
	const { driver, options: settings } = checkDeviceSettings(known, options);
	const stop = new AbortController();
	const end = () => stop.abort();
	process.once('SIGINT', end);
	try {
		const worked = await { scanner: tryScanner, relay: tryRelay, inputs: tryInputs }[known]({
			...{ driver, settings, options, terminal, signal: stop.signal },
			io: ioOf(options, terminal),
		});
		if (!worked) terminal.finish(exitCodes.found);
	} finally {
		process.off('SIGINT', end);
	}
}

interface Trial {
	readonly driver: string;
	readonly settings: Readonly<Record<string, unknown>>;
	readonly options: DeviceTestOptions;
	readonly terminal: Terminal;
	readonly signal: AbortSignal;
	readonly io: AgentIo;
}

function ioOf({ json }: DeviceTestOptions, { err }: Terminal): AgentIo {
	return deviceIo((event, fields) => void (json || err.write(`${event} ${JSON.stringify(fields ?? {})}\n`)));
}

/** Drivers by name; the configuration was checked against these tables. */
function driverOf<Driver>(table: Readonly<Record<string, Driver>>, name: string): Driver {
	const driver = table[name];
	if (driver === undefined) throw new StilewardError('usage', `there is no driver ${name}`);
	return driver;
}

async function wait({ options, signal }: Trial): Promise<void> {
	await sleep(options.seconds * 1000, undefined, { signal }).catch(() => {});
}

async function tryScanner(trial: Trial): Promise<boolean> {
	const { terminal, options, io, settings } = trial;
	let count = 0;
	const onScan = (scan: Scan) => {
		count += 1;
		void terminal.out.write(
			options.json
				? jsonLine(plainScan(scan, options))
				: `${paint(terminal.out, 'green', '✓')} ${scanText(scan, options)}\n`,
		);
	};
	const scanner = await driverOf(drivers.scanners, trial.driver).open(settings, {
		...io,
		onScan,
	});
	if (!options.json) await terminal.err.write(`hold codes up for ${options.seconds} s; Ctrl+C ends\n`);
	const lost = await Promise.race([scanner.lost, wait(trial)]);
	await scanner.close();
	if (lost) throw lost;
	if (count === 0 && !options.json)
		await terminal.err.write('nothing was read: check baud rate, suffix and mode of the scanner\n');
	return count > 0;
}

function plainScan(scan: Scan, { show }: DeviceTestOptions) {
	if (scan.kind === 'unreadable') return { kind: scan.kind, bytes: scan.bytes };
	const { text, aim } = scan;
	return { kind: 'code', characters: text.length, is: classOf(text), ...(aim && { aim }), ...(show && { text }) };
}

function scanText(scan: Scan, { show }: DeviceTestOptions): string {
	if (scan.kind === 'unreadable') return `${describeScan(scan)}: check baud rate, parity and suffix`;
	return `${describeScan(scan)}${show ? `: ${scan.text}` : ''}`;
}

async function tryRelay(trial: Trial): Promise<boolean> {
	const { terminal, options, driver, settings } = trial;
	const pulse = { channel: options.channel, pulseMs: options.pulse };
	const result = await pulseOnce({ driver, ...settings }, pulse, trial.io);
	const opened = await askOpen(trial);
	const worked = opened ?? result.confirmed !== false;
	const { channels: _, ...said } = result;
	const mark = paint(terminal.out, worked ? 'green' : 'red', worked ? '✓' : '✗');
	await terminal.out.write(options.json ? jsonLine({ ...said, opened }) : `${mark} ${pulseText(result)}\n`);
	return worked;
}

function pulseText({ channel, pulseMs, ended, confirmed }: PulseResult): string {
	const told = confirmed ? 'read back closed, then open' : 'the coil did not follow';
	const words = confirmed === undefined ? 'the board cannot tell its coils' : told;
	return `channel ${channel}, ${pulseMs} ms, ended by the ${ended === 'host' ? 'computer' : 'board'}: ${words}`;
}

/** Asks whoever stands by the gate; undefined where nobody can answer. */
async function askOpen({ terminal, options, signal }: Trial): Promise<boolean | undefined> {
	if (options.json || !terminal.in.isTTY || !terminal.err.isTerminal) return undefined;
	const reader = createInterface({ input: terminal.in, output: process.stderr });
	try {
		const answer = await reader.question('did the gate open? [y/n] ', { signal });
		return /^(y|yes|是|开)/i.test(answer.trim());
	} catch {
		return undefined;
	} finally {
		reader.close();
	}
}

async function tryInputs(trial: Trial): Promise<boolean> {
	const { terminal, options, io, settings } = trial;
	const { out, err } = terminal;
	const startedMs = performance.now();
	const tell = (role: InputRole, active: boolean) => {
		const atMs = Math.round(performance.now() - startedMs);
		void out.write(
			options.json
				? jsonLine({ atMs, role, active })
				: `${(atMs / 1000).toFixed(2).padStart(7)} s  ${role} ${active ? 'active' : 'at rest'}\n`,
		);
	};
	const inputs = await driverOf(drivers.inputs, trial.driver).open(settings, {
		...io,
		onChange: tell,
	});
	for (const [role, active] of Object.entries(await inputs.read())) tell(role as InputRole, active === true);
	if (!options.json) await err.write(`work each contact; ${options.seconds} s, Ctrl+C ends\n`);
	const lost = await Promise.race([inputs.lost, wait(trial)]);
	await inputs.close();
	if (lost) throw lost;
	return true;
}
