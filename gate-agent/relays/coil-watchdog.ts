/**
 * The coil watchdog: a process that owns the port of a relay board without a timer, so that a pulse ends on time
 * whatever the agent does, and a coil does not stay closed when the agent dies. It is small on purpose.
 * Argument: the board as JSON (`CoilPortOptions`). Commands come on standard input, reports go to standard output.
 */
import { setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type ErrorCode, StilewardError } from '../core/errors.ts';
import { type CoilPort, type CoilPortOptions, openCoilPort } from './coil-port.ts';
import { type Coils, createCoils } from './coils.ts';
import { createLineSplitter, formatReport, parseCommand, type WatchdogReport } from './watchdog-protocol.ts';

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
function obeyInput(coils: Coils, port: CoilPort): Promise<boolean> {
	const split = createLineSplitter();
	return new Promise((resolve) => {
		process.stdin.setEncoding('utf8');
		process.stdin.on('data', (chunk: string) => {
			const lines = split(chunk);
			if (lines === undefined) return resolve(false);
			for (const line of lines) {
				const command = parseCommand(line);
				if (command === undefined) return resolve(false);
				const { id } = command;
				const done = command.kind === 'read' ? port.read() : coils.obey(command).then(() => undefined);
				done.then(
					(states) => say({ kind: 'ok', id, ...(states && { states }) }),
					(error) => say({ kind: 'failed', id, ...failureOf(error) }),
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

	const options: CoilPortOptions = JSON.parse(process.argv[2] ?? '');
	const port = await openCoilPort(options).catch((error) => {
		say({ kind: 'unopened', ...failureOf(error) });
		process.exitCode = exitCodes.portUnopened;
	});
	if (port === undefined) return;
	void port.lost.then(() => process.exit(exitCodes.portLost));
	const coils = createCoils((channel, closed) => port.write(channel, closed), port.heldBefore);
	say({ kind: 'ready' });
	const understood = await Promise.race([obeyInput(coils, port), told.promise]);
	await Promise.race([coils.release(orphanPulseMs), delay(releaseMs)]);
	// A fire that is on must keep the gate open, whatever became of the agent.
	if (coils.isHolding() && port.staysWhileHeld) {
		say({ kind: 'stays' });
		await port.staysWhileHeld();
	}
	process.exit(understood ? exitCodes.done : exitCodes.badCommand);
}

await main();
