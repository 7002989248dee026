import { type ChildProcess, fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { BleAdapter } from './adapter.ts';
import { errorOf, type FromBleProcess, type ToBleProcess } from './ble-messages.ts';
import { createPeers } from './ble-peers.ts';
import { atMost, inTime } from './in-time.ts';
import type { Heard } from './radio.ts';
import { radioCommand } from './radio-command.ts';

/** From the start of the process to its open radio: a slow board reads Node from a card, and the adapter is set up. */
const startMs = 30_000;
/** How often the process is asked whether it lives, and how long it may take to answer. */
const pingMs = 2_000;
const closeMs = 2_000;
const killMs = 500;

/** How an adapter's process is started. */
export interface BleProcessOptions {
	/** `hci0`, or `replay:FILE`. */
	readonly adapter: string;
	/** A Node that has CAP_NET_RAW, where the agent's own has not. */
	readonly program?: string;
}

/**
 * Opens an adapter in a process of its own, the only one that touches a radio: when noble hangs the process is ended, and the
 * supervisor opens the adapter again. Errors: `device_absent`, `device_denied`, `device_timeout`, `library_missing`.
 */
export async function openBleLink(options: BleProcessOptions): Promise<BleAdapter & { readonly pid: number }> {
	const child = spawnRadio(options);
	const exited = new Promise<void>((resolve) => {
		child.once('close', () => resolve());
		// One that could not be started has no end either.
		child.once('error', () => child.pid ?? resolve());
	});
	const ready = Promise.withResolvers<void>();
	const lost = Promise.withResolvers<StilewardError>();
	const say = (message: ToBleProcess) => void (child.connected && child.send(message, () => {}));
	const peers = createPeers(say, (hangs) => lose(hangs));
	const listeners = new Set<(heard: Heard) => void>();
	let gone: StilewardError | undefined;
	let alive = true;
	const lose = (error: StilewardError) => {
		if (gone) return;
		gone = error;
		clearInterval(pinging);
		ready.reject(error);
		peers.loseAll(error);
		void endProcess(child, exited).then(() => lost.resolve(error));
	};
	child.on('error', (cause) =>
		lose(new StilewardError('library_missing', `the Bluetooth process cannot be started: ${cause.message}`, { cause })),
	);
	child.once('close', () => lose(new StilewardError('device_lost', `the process of ${options.adapter} has ended`)));
	child.on('message', (message: FromBleProcess) => {
		alive = true;
		if (message.kind === 'ready') ready.resolve();
		else if (message.kind === 'heard') for (const listener of [...listeners]) listener(message.heard);
		else if (message.kind === 'unopened' || message.kind === 'lost') lose(errorOf(message));
		else if ('peer' in message || 'call' in message) peers.take(message);
	});
	let pinging: NodeJS.Timeout | undefined;
	try {
		await inTime(`opening ${options.adapter}`, ready.promise, startMs);
	} catch (error) {
		if (error instanceof StilewardError) lose(error);
		await endProcess(child, exited);
		throw error;
	}
	pinging = setInterval(() => {
		if (!alive) return lose(new StilewardError('device_lost', `the process of ${options.adapter} hangs`));
		alive = false;
		say({ kind: 'ping' });
	}, pingMs);
	return {
		pid: child.pid ?? 0,
		lost: lost.promise,
		open: (wish, events) => (gone ? Promise.reject(gone) : peers.open(wish, events)),
		hear: (onHeard) => {
			listeners.add(onHeard);
			if (listeners.size === 1) say({ kind: 'hear', on: true });
			return () => {
				if (listeners.delete(onHeard) && listeners.size === 0) say({ kind: 'hear', on: false });
			};
		},
		close: async () => {
			lose(new StilewardError('device_lost', `${options.adapter} was closed`));
			await endProcess(child, exited);
		},
	};
}

function spawnRadio({ adapter, program }: BleProcessOptions): ChildProcess {
	const file = fileURLToPath(new URL('./ble-process.ts', import.meta.url));
	const cache = getCompileCacheDir();
	return fork(file, [adapter], {
		...radioCommand(program ?? process.execPath, process.getuid?.() === 0 && adapter.startsWith('hci')),
		// Nothing of the agent's environment is its business: a variable would turn noble to another channel.
		env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache },
		cwd: '/',
		stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
	});
}

/** Lets it end its links; one that hangs is killed. */
async function endProcess(child: ChildProcess, exited: Promise<void>): Promise<void> {
	if (child.connected) child.disconnect();
	await atMost(exited, closeMs);
	if (child.exitCode !== null || child.signalCode !== null) return;
	child.kill('SIGKILL');
	await atMost(exited, killMs);
}
