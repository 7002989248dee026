import { dirname } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openPty } from './emulators/pty.ts';
import { watchPlugs } from './plug-watch.ts';
import { openSerialPort } from './serial/serial-port.ts';
import { supervise } from './supervisor.ts';

it('a device that is plugged in again works within a second, however long it was away', async () => {
	const pty = await openPty();
	const plugs = watchPlugs([dirname(pty.path), '/dev/there/is/no/such/folder']);
	const states: string[] = [];
	const device = supervise({
		name: 'scanner',
		open: () => openSerialPort({ path: pty.path, baudRate: 9600 }, { data: () => {} }),
		onState: ({ kind }) => void states.push(kind),
		// The longest pause between two attempts.
		random: () => 1,
		plugged: plugs.plugged,
	});
	onTestFinished(async () => {
		await device.close();
		plugs.close();
		await pty.close();
	});
	await expect.poll(() => states.at(-1), { timeout: 5_000 }).toBe('ready');
	await pty.unplug();
	await expect.poll(() => states.at(-1), { timeout: 5_000 }).toBe('absent');
	// Long enough for the pauses to have grown to two seconds.
	await new Promise((resolve) => setTimeout(resolve, 3_000));
	const pluggedMs = performance.now();
	await pty.replug();
	await expect.poll(() => states.at(-1), { timeout: 5_000, interval: 10 }).toBe('ready');
	expect(performance.now() - pluggedMs).toBeLessThan(1_500);
});
