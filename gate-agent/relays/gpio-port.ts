import { createConnection, createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { StilewardError } from '../core/errors.ts';
import { openDeviceFile } from '../ioctl/device-file.ts';
import { findGpioChip, type GpioLines, offsetsOf, requestLines } from '../ioctl/gpio.ts';
import type { CoilPort } from './coil-port.ts';

/** Which lines switch relays. */
export interface GpioRelayOptions {
	/** Label or path of the chip. */
	readonly chip: string;
	/** Offsets or names, channel 1 first. */
	readonly lines: readonly (number | string)[];
	/** True where a relay closes at a low level. */
	readonly activeLow: boolean;
}

/** How often the chip is asked whether it is still there, ms. */
const heartbeatMs = 500;

/** How long a watchdog that keeps a hold may take to hand it over. */
const handOverMs = 1_000;
const handOverTries = 20;

/**
 * Takes lines of a GPIO chip. Opening moves no coil: the levels are read as they are, and then driven so.
 * The kernel drops a line, or leaves it to chance, when its program ends. So a watchdog that keeps a hold stays, and hands it
 * over to the next one. Rejects as `requestLines` does.
 */
export async function openGpioPort({ chip: name, lines: wanted, activeLow }: GpioRelayOptions): Promise<CoilPort> {
	const chip = await findGpioChip(name);
	const offsets = offsetsOf(chip, wanted);
	const key = `\0stileward-gpio-${chip.label}-${offsets.join('-')}`;
	const lines = await takeLines({ chip: chip.path, offsets, activeLow }, key);
	const node = await openDeviceFile(chip.path, { access: 'read', lock: false });
	const lost = Promise.withResolvers<StilewardError>();
	const heart = setInterval(() => {
		void node.isThere().then((isThere) => {
			if (isThere) return;
			clearInterval(heart);
			lines.close();
			node.close();
			lost.resolve(new StilewardError('device_lost', `the GPIO chip ${name} is gone`));
		});
	}, heartbeatMs);
	return {
		lost: lost.promise,
		write: async (channel, closed) => {
			await lines.write(channel - 1, closed);
			if ((await lines.read())[channel - 1] !== closed) {
				throw new StilewardError(
					'device_protocol',
					`line ${offsets[channel - 1]} of ${name} does not follow its order`,
				);
			}
		},
		read: lines.read,
		staysWhileHeld: () => handOver(key, lines),
	};
}

type Request = { readonly chip: string; readonly offsets: readonly number[]; readonly activeLow: boolean };

async function takeLines(request: Request, key: string): Promise<GpioLines> {
	try {
		const lines = await requestLines({ ...request, direction: 'as_is' });
		await lines.drive(await lines.read());
		return lines;
	} catch (error) {
		if (!(error instanceof StilewardError) || error.code !== 'device_busy') throw error;
		const values = await takeOver(key);
		if (values === undefined) throw error;
		return untilFree(request, values);
	}
}

/** Asks the watchdog of an agent that died for what it holds; undefined where somebody else has the lines. */
function takeOver(key: string): Promise<readonly boolean[] | undefined> {
	return new Promise((resolve) => {
		let text = '';
		const socket = createConnection(key);
		const timer = setTimeout(() => socket.destroy(), handOverMs);
		socket.setEncoding('utf8');
		socket.on('data', (part: string) => {
			text = (text + part).slice(0, 64);
		});
		socket.on('error', () => {});
		socket.on('close', () => {
			clearTimeout(timer);
			resolve(/^[01]+$/.test(text) ? [...text].map((bit) => bit === '1') : undefined);
		});
	});
}

/** The other one ends as soon as it has told: its lines are free a moment later. */
async function untilFree(request: Request, values: readonly boolean[]): Promise<GpioLines> {
	for (let tries = 1; ; tries += 1) {
		try {
			return await requestLines({ ...request, direction: 'output', values });
		} catch (error) {
			if (tries === handOverTries) throw error;
			await delay(handOverMs / handOverTries);
		}
	}
}

/** Waits for the next watchdog, tells it the levels and lets go. Resolves when somebody has come. */
function handOver(key: string, lines: GpioLines): Promise<void> {
	return new Promise((resolve, reject) => {
		const server: Server = createServer(async (socket) => {
			socket.on('error', () => {});
			const levels = await lines.read().catch(() => []);
			socket.end(levels.map((level) => (level ? '1' : '0')).join(''), () => resolve());
		});
		server.on('error', reject);
		server.listen(key);
	});
}
