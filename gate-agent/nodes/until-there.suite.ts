import { setTimeout as sleep } from 'node:timers/promises';

/** The kernel and udev need a moment for a device that was plugged in; a virtual machine needs many. */
const triesMax = 200;
const betweenTriesMs = 50;

/** Opens a device that was plugged in just now: tries again until it opens. Rejects as the last try does. */
export async function untilThere<T>(open: () => Promise<T>): Promise<T> {
	for (let tries = 1; ; tries += 1) {
		try {
			return await open();
		} catch (error) {
			if (tries === triesMax) throw error;
			await sleep(betweenTriesMs);
		}
	}
}
