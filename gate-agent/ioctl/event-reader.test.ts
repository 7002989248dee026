import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPty, type Pty } from '../emulators/pty.ts';
import { openDeviceFile } from './device-file.ts';
import { readEvents } from './event-reader.ts';

describe.runIf(process.platform === 'linux')('a reader of events', () => {
	let pty: Pty;
	beforeEach(async () => {
		pty = await openPty();
	});
	afterEach(() => pty.close());

	it('gives each record of a device node, costs nothing while there are none, and tells the end', async () => {
		const file = await openDeviceFile(pty.path, { access: 'read', lock: false });
		const records: string[] = [];
		const ended: string[] = [];
		const reader = await readEvents(file.fd, 4, {
			onRecord: (record) => void records.push(Buffer.from(record).toString()),
			onEnd: (code) => void ended.push(code),
		});
		await pty.write('ONE.TWO.');
		await expect.poll(() => records, { timeout: 5_000 }).toEqual(['ONE.', 'TWO.']);
		await pty.unplug();
		await expect.poll(() => ended.length, { timeout: 5_000 }).toBe(1);
		await reader.stop();
		file.close();
	});

	it('lets go of the device when it is stopped', async () => {
		const file = await openDeviceFile(pty.path, { access: 'read', lock: false });
		const records: string[] = [];
		const reader = await readEvents(file.fd, 4, { onRecord: () => void records.push('late'), onEnd: () => {} });
		await reader.stop();
		await pty.write('LATE');
		await sleep(50);
		expect(records).toEqual([]);
		file.close();
	});

	it('keeps a second agent out of a node that is locked', async () => {
		const first = await openDeviceFile(pty.path, { access: 'read_write', lock: true });
		const second = openDeviceFile(pty.path, { access: 'read_write', lock: true });
		await expect(second).rejects.toMatchObject({ code: 'device_busy' });
		first.close();
		(await openDeviceFile(pty.path, { access: 'read_write', lock: true })).close();
		await expect(openDeviceFile('/dev/nothing', { access: 'read', lock: false })).rejects.toMatchObject({
			code: 'device_absent',
		});
	});
});
