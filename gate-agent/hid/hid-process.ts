/**
 * A process that holds one HID device, so that a call of the kernel that hangs stops nothing else. It speaks to its parent
 * over Node's channel and ends with it. Argument: path of the device.
 */
import { openHidDevice } from './hid-device.ts';
import { type FromHidProcess, failureOf, type ToHidProcess } from './hid-messages.ts';

function say(message: FromHidProcess): void {
	// A parent that is gone hears nothing, and this process ends for it.
	if (process.connected) process.send?.(message, () => {});
}

async function main(path: string): Promise<void> {
	process.on('disconnect', () => process.exit(0));
	const device = await openHidDevice(path, (report) => {
		say({ kind: 'report', hex: Buffer.from(report).toString('hex') });
	}).catch((error: unknown) => {
		say({ kind: 'unopened', ...failureOf(error) });
		process.exitCode = 2;
	});
	if (device === undefined) return process.disconnect();
	void device.lost.then((error) => {
		say({ kind: 'lost', ...failureOf(error) });
		process.disconnect();
	});
	process.on('message', async ({ id, kind, hex, timeoutMs }: ToHidProcess) => {
		const report = Buffer.from(hex, 'hex');
		try {
			if (kind === 'write') await device.write(report, timeoutMs);
			else await device.sendFeature(report, timeoutMs);
			say({ kind: 'done', id });
		} catch (error) {
			say({ kind: 'failed', id, ...failureOf(error) });
		}
	});
	say({ kind: 'ready' });
}

await main(process.argv[2] ?? '');
