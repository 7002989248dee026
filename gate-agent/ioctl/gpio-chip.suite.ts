import { setTimeout as sleep } from 'node:timers/promises';
import { listGpioChips } from './gpio.ts';

/** Label of the chip that the lab emulates. */
export const labChip = 'cp2112_gpio';

const triesMax = 200;
const betweenTriesMs = 50;

/** Waits until the kernel has made a chip of what was plugged in, or has taken it away. */
export async function chipIsThere(isThere = true): Promise<void> {
	for (let tries = 1; (await listGpioChips()).some(({ label }) => label === labChip) !== isThere; tries += 1) {
		if (tries === triesMax) throw new Error(`the chip is ${isThere ? 'not ' : 'still '}there`);
		await sleep(betweenTriesMs);
	}
}
