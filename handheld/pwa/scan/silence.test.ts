import { expect, test } from 'vitest';
import { createSilence } from './silence.ts';

const patience = { timeout: 5_000, interval: 5 };

test('tells once when nothing more comes', async () => {
	let count = 0;
	const silence = createSilence(10, () => {
		count += 1;
	});
	silence.heard();
	silence.heard();
	await expect.poll(() => count, patience).toBe(1);
});

test('does not take a busy page for silence: what came meanwhile stands in the queue behind the timer', async () => {
	const told: string[] = [];
	const silence = createSilence(50, () => told.push('silence'));
	silence.heard();
	// Node runs a timer that is due before what was queued for the turn of the loop, as browsers may.
	setImmediate(() => {
		told.push('heard');
		silence.heard();
	});
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
	await expect.poll(() => told, patience).toEqual(['heard', 'silence']);
});
