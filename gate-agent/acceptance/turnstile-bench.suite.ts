import { join } from 'node:path';
import type { Direction } from '../core/redemption.ts';
import type { Pty } from '../emulators/pty.ts';
import { createTurnstile, type Turnstile, type TurnstileContact, turnstileContacts } from '../emulators/turnstile.ts';
import { emulateWaveshare, type WaveshareEmulator } from '../emulators/waveshare-emulator.ts';
import {
	exampleConfig,
	issue,
	type LedgerRow,
	listRows,
	makeKeys,
	type RunningGate,
	startGate,
	temporaryFolder,
	until,
} from './gate.suite.ts';
import { plugIn } from './lcus-bench.suite.ts';

/** A turnstile with every contact, wired to a Waveshare board on one shared port, as its example describes. */
export interface TurnstileBench {
	readonly dir: string;
	readonly data: string;
	readonly scanner: Pty;
	readonly board: WaveshareEmulator;
	readonly turnstile: Turnstile;
	/** Starts the agent of this lane and waits until it is ready. */
	start(...sets: readonly string[]): Promise<RunningGate>;
	issue(...args: readonly string[]): Promise<readonly string[]>;
	rows(...kinds: readonly string[]): Promise<readonly LedgerRow[]>;
	present(code: string): Promise<void>;
	/** How often the coil of a direction closed. */
	pulses(direction?: Direction): number;
	/** Waits until the lock is open, and goes through. */
	pass(direction?: Direction): Promise<void>;
	/** Presses a button, or turns a key and back. */
	press(contact: TurnstileContact): Promise<void>;
}

/** The lane waits this long for a visitor, so that a test need not wait for the example's six seconds. */
export const passageTimeoutMs = 2_000;

/** How long a contact is active: longer than any debounce, and than a busy machine keeps board or agent waiting. */
const contactMs = 400;

const channelOf = { entry: 1, exit: 2 } as const;

/** What a bench is like. */
export interface TurnstileBenchOptions {
	/** How long the turnstile waits for its visitor. */
	readonly passageWindowMs?: number;
	/** The example of device-configs that is wired up. */
	readonly example?: 'waveshare-turnstile' | 'turnstile-pulse';
	/** Contacts that conduct at rest and open when they become active; the example says `invert` of them. */
	readonly restClosed?: readonly TurnstileContact[];
}

/** Sets up keys, ptys, the board and the turnstile behind it. */
export async function setUpTurnstile(options: TurnstileBenchOptions = {}): Promise<TurnstileBench> {
	const { passageWindowMs = 1_700, example = 'waveshare-turnstile', restClosed = ['tamper'] } = options;
	const dir = temporaryFolder();
	const [keys, scanner, port] = await Promise.all([makeKeys(join(dir, 'keys')), plugIn(), plugIn()]);
	const { board, turnstile } = wire(port, { passageWindowMs, restClosed });
	const data = join(dir, 'data');
	const sets = [
		...[`keys=${keys}`, `data=${data}`, `lanes.0.scanner.path=${scanner.path}`],
		...[`lanes.0.relay.path=${port.path}`, `lanes.0.inputs.path=${port.path}`],
		`lanes.0.passageTimeoutMs=${passageTimeoutMs}`,
		// A busy machine may keep the agent from its contacts for a while; what it then assumes has a test of its own.
		'lanes.0.inputs.passageContactMs=5000',
		// A code is presented again on purpose here; how long it is held off has a test of its own.
		'lanes.0.holdOffMs=50',
	];
	return {
		...{ dir, data, scanner, board, turnstile },
		start: async (...more) => {
			const gate = startGate([...sets, ...more], { config: exampleConfig(example) });
			await gate.ready();
			return gate;
		},
		issue: (...args) => issue(keys, args),
		rows: async (...kinds) => (await listRows(data)).filter(({ kind }) => kinds.length === 0 || kinds.includes(kind)),
		present: (code) => scanner.write(`${code}\r`),
		pulses: (direction = 'entry') =>
			board.edges.filter(({ channel, closed }) => closed && channel === channelOf[direction]).length,
		pass: async (direction = 'entry') => void (await until('the way through', () => turnstile.walkThrough(direction))),
		press: async (contact) => {
			turnstile.setContact(contact, true);
			await new Promise((resolve) => setTimeout(resolve, contactMs));
			turnstile.setContact(contact, false);
		},
	};
}

function wire(
	port: Pty,
	{ passageWindowMs, restClosed }: Required<Pick<TurnstileBenchOptions, 'passageWindowMs' | 'restClosed'>>,
): Pick<TurnstileBench, 'board' | 'turnstile'> {
	const turnstile = createTurnstile({
		schedule: (ms, callback) => {
			const timer = setTimeout(callback, ms);
			return () => clearTimeout(timer);
		},
		passageWindowMs,
		passageContactMs: contactMs,
		onContact: (contact, active) =>
			board.setInput(turnstileContacts.indexOf(contact) + 1, restClosed.includes(contact) ? !active : active),
	});
	const board: WaveshareEmulator = emulateWaveshare(port, {
		onCoil: (channel, closed) => {
			if (channel <= 2) turnstile.coil(channel === 1 ? 'entry' : 'exit', closed);
		},
	});
	for (const contact of restClosed) board.setInput(turnstileContacts.indexOf(contact) + 1, true);
	return { board, turnstile };
}
