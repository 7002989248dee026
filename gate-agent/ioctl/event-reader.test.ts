import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPty, type Pty } from '../emulators/pty.ts';
import { openDeviceFile } from './device-file.ts';
import { readEvents } from './event-reader.ts';

/** A number that no open file of this process has. */
const descriptorOfNothing = 999_999;

describe.runIf(process.platform === 'linux')('a reader of events', () => {
	let pty: Pty;
	beforeEach(async () => {
		pty = await openPty();
	});
	afterEach(() => pty.close());

	it('gives each record of a device node, costs nothing while there are none, and tells the end', async () => {
		const file = await openDeviceFile(pty.path, { access: 'read', lock: false });
		const records: string[] = [];
		const reader = await readEvents(file.fd, 4, (record) => void records.push(Buffer.from(record).toString()));
		await pty.write('ONE.TWO.');
		await expect.poll(() => records, { timeout: 5_000 }).toEqual(['ONE.', 'TWO.']);
		await pty.unplug();
		expect(await reader.ended).toMatch(/^E[A-Z]+$/);
		await reader.stop();
		file.close();
	});

	it('tells an end that came at once to whoever asks later', async () => {
		const reader = await readEvents(descriptorOfNothing, 4, () => {});
		expect(await reader.ended).toBe('ENODEV');
		await reader.stop();
		expect(await reader.ended).toBe('ENODEV');
	});

	it('lets go of the device when it is stopped, which is no end', async () => {
		const file = await openDeviceFile(pty.path, { access: 'read', lock: false });
		const records: string[] = [];
		const reader = await readEvents(file.fd, 4, () => void records.push('late'));
		await reader.stop();
		await pty.write('LATE');
		await sleep(50);
		expect(records).toEqual([]);
		expect(await Promise.race([reader.ended, 'no end'])).toBe('no end');
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
