import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';

/** Waits until `condition` holds; fails after `withinMs`. */
export async function eventually(condition: () => boolean, withinMs = 3000): Promise<void> {
	const deadline = performance.now() + withinMs;
	while (!condition()) {
		if (performance.now() > deadline) expect.fail(`not so within ${withinMs} ms: ${condition}`);
		await delay(5);
	}
}
