import { statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { handOver, holdName, takeOver } from './hold-handover.ts';

const name = holdName('/dev/gpiochip-of-a-test', [process.pid % 1000, 7]);

it('a hold is handed to the next watchdog, and to nobody who only knocks', async () => {
	let isOver = false;
	const handing = handOver(name, async () => [true, false]).then(() => {
		isOver = true;
	});
	await sleep(100);
	for (const said of ['', 'hello', 'takes']) {
		const socket = createConnection(name, () => socket.end(said));
		await new Promise((resolve) =>
			socket
				.on('close', resolve)
				.on('error', () => {})
				.resume(),
		);
	}
	expect(isOver).toBe(false);
	expect(await takeOver(name)).toEqual([true, false]);
	await handing;
	expect(await takeOver(name)).toBeUndefined();
});

it('its socket lies where nobody else can knock', () => {
	expect(statSync(dirname(name)).mode & 0o077).toBe(0);
});
