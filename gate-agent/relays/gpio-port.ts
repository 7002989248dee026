import { setTimeout as delay } from 'node:timers/promises';
import { StilewardError } from '../core/errors.ts';
import { openDeviceFile } from '../ioctl/device-file.ts';
import { findGpioChip, type GpioLines, offsetsOf, requestLines } from '../ioctl/gpio.ts';
import type { CoilPort } from './coil-port.ts';
import { handOver, holdName, takeOver } from './hold-handover.ts';

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

/** How long lines may take to be free once their holder has let go. */
const freeMs = 1_000;
const freeTries = 20;

/**
 * Takes lines of a GPIO chip. Opening moves no coil: the levels are read as they are, and then driven so.
 * The kernel drops a line, or leaves it to chance, when its program ends. So a watchdog that keeps a hold stays, and hands it
 * over to the next one, which keeps it as a hold. Rejects as `requestLines` does.
 */
export async function openGpioPort({ chip: name, lines: wanted, activeLow }: GpioRelayOptions): Promise<CoilPort> {
	const chip = await findGpioChip(name);
	const offsets = offsetsOf(chip, wanted);
	const key = holdName(chip.path, offsets);
	const { lines, heldBefore } = await takeLines({ chip: chip.path, offsets, activeLow }, key);
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
		heldBefore,
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
		staysWhileHeld: () => handOver(key, lines.read),
	};
}

type Request = { readonly chip: string; readonly offsets: readonly number[]; readonly activeLow: boolean };

interface Taken {
	readonly lines: GpioLines;
	readonly heldBefore: readonly number[];
}

async function takeLines(request: Request, key: string): Promise<Taken> {
	try {
		const lines = await requestLines({ ...request, direction: 'as_is' });
		await lines.drive(await lines.read());
		return { lines, heldBefore: [] };
	} catch (error) {
		if (!(error instanceof StilewardError) || error.code !== 'device_busy') throw error;
		const values = await takeOver(key);
		if (values?.length !== request.offsets.length) throw error;
		const lines = await untilFree(request, values);
		return { lines, heldBefore: values.flatMap((isClosed, index) => (isClosed ? [index + 1] : [])) };
	}
}

/** The other one ends as soon as it has told: its lines are free a moment later. */
async function untilFree(request: Request, values: readonly boolean[]): Promise<GpioLines> {
	for (let tries = 1; ; tries += 1) {
		try {
			return await requestLines({ ...request, direction: 'output', values });
		} catch (error) {
			if (tries === freeTries) throw error;
			await delay(freeMs / freeTries);
		}
	}
}
