import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkDeviceSettings } from '../../gate-agent/config.ts';
import type { InputRole, Relay } from '../../gate-agent/core/device.ts';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { classifyForeign } from '../../gate-agent/core/foreign-code.ts';
import type { Scan } from '../../gate-agent/core/scan.ts';
import { type AgentIo, drivers, type Simulation } from '../../gate-agent/drivers.ts';
import { createBuses } from '../../gate-agent/serial/buses.ts';
import { createBleAdapters } from '../../handheld/ble/adapters.ts';
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
	readonly io: Omit<AgentIo, keyof Simulation>;
}

function ioOf({ json }: DeviceTestOptions, { err }: Terminal): Trial['io'] {
	return {
		nowMs: () => performance.now(),
		log: (event, fields) => void (json || err.write(`${event} ${JSON.stringify(fields ?? {})}\n`)),
		buses: createBuses(),
		adapters: createBleAdapters(),
	};
}

/** Drivers by name; the configuration was checked against these tables. */
function driverOf<Driver>(table: Readonly<Record<string, Driver>>, name: string): Driver {
	const driver = table[name];
	if (driver === undefined) throw new StilewardError('usage', `there is no driver ${name}`);
	return driver;
}

/** The turnstile behind simulated devices does nothing here. */
const simulation: Simulation = { contacts: { states: () => ({}), listen: () => () => {} }, onCoil: () => {} };

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
		...simulation,
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

function scanText(scan: Scan, options: DeviceTestOptions): string {
	if (scan.kind === 'unreadable') return `unreadable, ${scan.bytes} bytes: check baud rate, parity and suffix`;
	const { characters, is, aim, text } = { text: undefined, aim: undefined, ...plainScan(scan, options) } as {
		readonly characters: number;
		readonly is: string;
		readonly aim?: string;
		readonly text?: string;
	};
	return `${is}, ${characters} characters${aim === undefined ? '' : `, AIM ${aim}`}${text === undefined ? '' : `: ${text}`}`;
}

function classOf(text: string): string {
	if (text.startsWith('SW1:')) return 'compact ticket';
	return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) ? 'JWS ticket' : classifyForeign(text);
}

async function tryRelay(trial: Trial): Promise<boolean> {
	const { terminal, options, io, settings } = trial;
	const relay: Relay = await driverOf(drivers.relays, trial.driver).open(settings, { ...io, ...simulation });
	try {
		await relay.pulse(options.channel, options.pulse);
		const during = await relay.read();
		await sleep(options.pulse + endedMs);
		const after = await relay.read();
		const [closed, opened] = [during?.[options.channel - 1], after?.[options.channel - 1]];
		const confirmed = closed === undefined ? undefined : closed && opened === false;
		const answer = await askOpen(trial);
		const worked = answer ?? confirmed !== false;
		const words =
			confirmed === undefined
				? 'the board cannot tell its coils'
				: confirmed
					? 'read back closed, then open'
					: 'the coil did not follow';
		await terminal.out.write(
			options.json
				? jsonLine({
						channel: options.channel,
						pulseMs: options.pulse,
						ended: relay.pulseTiming,
						confirmed,
						opened: answer,
					})
				: `${paint(terminal.out, worked ? 'green' : 'red', worked ? '✓' : '✗')} channel ${options.channel}, ${options.pulse} ms, ended by the ${relay.pulseTiming === 'host' ? 'computer' : 'board'}: ${words}\n`,
		);
		return worked;
	} finally {
		await relay.close();
	}
}

/** A board's own timer is not exact. */
const endedMs = 400;

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
		...simulation,
		onChange: tell,
	});
	for (const [role, active] of Object.entries(await inputs.read())) tell(role as InputRole, active === true);
	if (!options.json) await err.write(`work each contact; ${options.seconds} s, Ctrl+C ends\n`);
	const lost = await Promise.race([inputs.lost, wait(trial)]);
	await inputs.close();
	if (lost) throw lost;
	return true;
}
