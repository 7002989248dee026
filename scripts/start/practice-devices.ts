import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { InputRole } from '../../gate-agent/core/device.ts';
import { inputRoles } from '../../gate-agent/core/device.ts';
import type { Direction } from '../../gate-agent/core/redemption.ts';
import type { Simulation } from '../../gate-agent/drivers.ts';
import { openPty } from '../../gate-agent/emulators/pty.ts';
import { openScannerEmulator } from '../../gate-agent/emulators/scanner-emulator.ts';
import { createTurnstile, type Turnstile } from '../../gate-agent/emulators/turnstile.ts';
import { emulateWaveshare } from '../../gate-agent/emulators/waveshare-emulator.ts';
import type { Lamp, PluggedDevice } from './page/practice-wire.ts';

/** Channels of the relay board: two locks, and the lamps on what is spare. */
export const channels = { entry: 1, exit: 2, green: 3, red: 4, amber: 5, buzzer: 6 } as const satisfies Record<
	Direction | Lamp,
	number
>;

/** Inputs of the board, counted from 1 in the order of the roles. */
export const inputChannels = Object.fromEntries(inputRoles.map((role, n) => [role, { channel: n + 1 }])) as Readonly<
	Record<InputRole, { readonly channel: number }>
>;

/** The devices of the practice lane, and the turnstile that they are wired to. */
export interface PracticeDevices {
	readonly kind: 'serial' | 'simulated';
	/** Their part of the lane's configuration. */
	readonly config: Readonly<Record<'scanner' | 'relay' | 'inputs', Readonly<Record<string, unknown>>>>;
	/** What the agent needs to reach simulated devices. */
	readonly simulation?: Simulation;
	readonly turnstile: Turnstile;
	isClosed(channel: number): boolean;
	/** Holds a code to the scanner. Rejects with `device_lost` while it is unplugged. */
	present(code: string): Promise<void>;
	plug(device: PluggedDevice, plugged: boolean): Promise<void>;
	plugged(): Readonly<Record<PluggedDevice, boolean>>;
	close(): Promise<void>;
}

/** Opens devices. `onChange` hears every contact, lock and lamp; `dir` is a folder to write to. */
export type OpenPracticeDevices = (dir: string, onChange: () => void) => Promise<PracticeDevices>;

/** Opens what this machine can have: pseudo-terminals on Linux, simulated devices elsewhere. */
export const openPracticeDevices: OpenPracticeDevices = (dir, onChange) =>
	process.platform === 'linux' ? openSerialDevices(dir, onChange) : openSimulatedDevices(dir, onChange);

/** A scanner and a relay board with inputs, each behind its own pseudo-terminal: the agent uses its real drivers. */
const openSerialDevices: OpenPracticeDevices = async (_dir, onChange) => {
	const scanner = await openScannerEmulator();
	const pty = await openPty();
	const turnstile = turnstileOf((role, active) => {
		board.setInput(inputChannels[role].channel, active);
		onChange();
	}, onChange);
	const board = emulateWaveshare(pty, {
		onCoil: (channel, closed) => {
			wire(turnstile, channel, closed);
			onChange();
		},
	});
	const plugged = { scanner: true, board: true };
	return {
		kind: 'serial',
		config: {
			scanner: { driver: 'serial-line', path: scanner.path },
			relay: { driver: 'modbus-waveshare', path: pty.path },
			inputs: { driver: 'modbus-discrete', path: pty.path, contacts: inputChannels },
		},
		turnstile,
		isClosed: board.isClosed,
		present: scanner.present,
		plug: async (device, plug) => {
			const cable = device === 'scanner' ? scanner.pty : board;
			await (plug ? cable.replug() : cable.unplug());
			plugged[device] = plug;
			onChange();
		},
		plugged: () => ({ ...plugged }),
		close: async () => {
			await scanner.close();
			await pty.close();
		},
	};
};

/** How often the file that stands for a scanner is read. */
const replayMs = 200;

/** The same lane without serial ports: a file stands for the scanner, plain calls for the board. */
export const openSimulatedDevices: OpenPracticeDevices = async (dir, onChange) => {
	const path = join(dir, 'scanner.txt');
	const listeners = new Set<(role: InputRole, active: boolean) => void>();
	const closed = new Set<number>();
	const turnstile = turnstileOf((role, active) => {
		for (const listener of listeners) listener(role, active);
		onChange();
	}, onChange);
	const hold = async (text: string) => {
		// A reader sees the old file or the new one, never half of it.
		await writeFile(`${path}.new`, text);
		await rename(`${path}.new`, path);
	};
	await hold('');
	return {
		kind: 'simulated',
		config: {
			scanner: { driver: 'replay', path, intervalMs: replayMs, repeat: true },
			relay: { driver: 'simulated' },
			inputs: { driver: 'simulated', contacts: Object.fromEntries(inputRoles.map((role) => [role, {}])) },
		},
		simulation: {
			onCoil: (channel, isClosed) => {
				if (isClosed) closed.add(channel);
				else closed.delete(channel);
				wire(turnstile, channel, isClosed);
				onChange();
			},
			contacts: {
				states: () => turnstile.contacts(),
				listen: (listener) => {
					listeners.add(listener);
					return () => listeners.delete(listener);
				},
			},
		},
		turnstile,
		isClosed: (channel) => closed.has(channel),
		present: async (code) => {
			await hold(`${code}\n`);
			await delay(replayMs * 2);
			await hold('');
		},
		// Simulated devices have no plugs; the page says so and shows none.
		plug: async () => {},
		plugged: () => ({ scanner: true, board: true }),
		close: async () => {},
	};
};

function wire(turnstile: Turnstile, channel: number, closed: boolean): void {
	if (channel === channels.entry) turnstile.coil('entry', closed);
	if (channel === channels.exit) turnstile.coil('exit', closed);
}

function turnstileOf(onContact: (role: InputRole, active: boolean) => void, onLock: () => void): Turnstile {
	return createTurnstile({
		schedule: (ms, callback) => {
			const timer = setTimeout(callback, ms);
			return () => clearTimeout(timer);
		},
		// A slow arm: on a machine that is busy with other things a poll of the inputs may come late.
		passageContactMs: 800,
		onContact,
		onLock,
	});
}
