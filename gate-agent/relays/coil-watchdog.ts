/**
 * The coil watchdog: a process that owns the port of a relay board without a timer, so that a pulse ends on time
 * whatever the agent does, and a coil does not stay closed when the agent dies. It is small on purpose.
 * Argument: the port as JSON. Commands come on standard input, reports go to standard output.
 */
import { setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type ErrorCode, StilewardError } from '../core/errors.ts';
import { openSerialPort, type SerialOptions } from '../serial/serial-port.ts';
import { type Coils, createCoils } from './coils.ts';
import { lcusFrame } from './lcus-frame.ts';
import { createLineSplitter, formatReport, parseCommand, type WatchdogReport } from './watchdog-protocol.ts';

/** A frame takes 4 ms at 9600 baud. A port that does not take it within this time is ended; a stalled host may need some. */
const writeTimeoutMs = 800;
/**
 * A pulse that runs when the agent dies goes on for at most this long: its visitor's use is committed, and a
 * turnstile needs 100 ms to notice it, but the gate must be shut within a second.
 */
const orphanPulseMs = 500;
/** Releasing may take this long in all. */
const releaseMs = 900;
const exitCodes = { done: 0, portUnopened: 2, portLost: 3, badCommand: 4 } as const;

function say(report: WatchdogReport): void {
	process.stdout.write(`${formatReport(report)}\n`);
}

function failureOf(error: unknown): { code: ErrorCode; text: string } {
	if (error instanceof StilewardError) return { code: error.code, text: error.message };
	return { code: 'device_protocol', text: String(error) };
}

/** Obeys the commands of standard input; resolves when the agent closed it, or with false when it spoke nonsense. */
function obeyInput(coils: Coils): Promise<boolean> {
	const split = createLineSplitter();
	return new Promise((resolve) => {
		process.stdin.setEncoding('utf8');
		process.stdin.on('data', (chunk: string) => {
			const lines = split(chunk);
			if (lines === undefined) return resolve(false);
			for (const line of lines) {
				const command = parseCommand(line);
				if (command === undefined) return resolve(false);
				coils.obey(command).then(
					() => say({ kind: 'ok', id: command.id }),
					(error) => say({ kind: 'failed', id: command.id, ...failureOf(error) }),
				);
			}
		});
		for (const ending of ['end', 'close', 'error']) process.stdin.on(ending, () => resolve(true));
	});
}

/** The end of a pulse goes before everything else on the machine, where the user may ask for that (`LimitNICE`). */
function goFirst(): void {
	try {
		setPriority(-10);
	} catch {
		// An ordinary user may not; pulses then end as punctually as the machine is idle.
	}
}

async function main(): Promise<void> {
	goFirst();
	// The agent may be dead: a report that nobody reads must not stop the release.
	process.stdout.on('error', () => {});
	process.stderr.on('error', () => {});
	const told = Promise.withResolvers<boolean>();
	for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => told.resolve(true));

	const options: SerialOptions = JSON.parse(process.argv[2] ?? '');
	const line = await openSerialPort(options, { data: () => {} }).catch((error) => {
		say({ kind: 'unopened', ...failureOf(error) });
		process.exitCode = exitCodes.portUnopened;
	});
	if (line === undefined) return;
	void line.lost.then(() => process.exit(exitCodes.portLost));
	const coils = createCoils((channel, closed) => line.write(lcusFrame(channel, closed), writeTimeoutMs));
	say({ kind: 'ready' });
	const understood = await Promise.race([obeyInput(coils), told.promise]);
	await Promise.race([coils.release(orphanPulseMs), delay(releaseMs)]);
	process.exit(understood ? exitCodes.done : exitCodes.badCommand);
}

await main();
