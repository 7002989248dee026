import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Scan } from '../core/scan.ts';
import { openKeyboardEmulator } from '../emulators/keyboard-emulator.ts';
import { openDeviceFile } from '../ioctl/device-file.ts';
import { readEvents } from '../ioctl/event-reader.ts';
import { listInputEvents } from '../nodes/input-events.ts';
import { untilThere } from '../nodes/until-there.suite.ts';
import { hidKeyboard } from './hid-keyboard.ts';
import { describeScans } from './scans.suite.ts';

const patience = { timeout: 20_000 };
const device = '05e0:1200';

const io = (scans: Scan[]) => ({
	nowMs: () => performance.now(),
	log: () => {},
	onScan: (scan: Scan) => void scans.push(scan),
});

function plugIn(options: Parameters<typeof openKeyboardEmulator>[0] = {}) {
	const emulator = openKeyboardEmulator(options);
	onTestFinished(() => emulator.close());
	return emulator;
}

async function opened(options: Parameters<typeof hidKeyboard.open>[0] = {}) {
	const emulator = plugIn();
	const scans: Scan[] = [];
	const scanner = await untilThere(() => hidKeyboard.open({ device, ...options }, io(scans)));
	onTestFinished(() => scanner.close());
	return { emulator, scanner, scans };
}

describeScans(
	'hid-keyboard',
	async () => {
		const emulator = openKeyboardEmulator();
		let isNew = true;
		return {
			open: async ({ onScan }) => {
				const open = () => hidKeyboard.open({ device }, { nowMs: () => performance.now(), log: () => {}, onScan });
				const scanner = isNew ? await untilThere(open) : await open();
				isNew = false;
				return scanner;
			},
			present: (code) => emulator.type(`${code}\n`),
			tear: (code) => emulator.type(code),
			unplug: emulator.unplug,
			replug: emulator.replug,
			close: async () => emulator.close(),
		};
	},
	{ tellsAim: true, asciiOnly: true, longest: 300 },
);

test('a scanner that spells Alt codes is read, too', async () => {
	const { emulator, scans } = await opened();
	await emulator.type('SW1:A  B$%\n', 'alt');
	await expect.poll(() => scans, patience).toMatchObject([{ kind: 'code', text: 'SW1:A  B$%' }]);
});

test('while it is grabbed nobody else hears a key, and another keyboard stays everybody’s', async ({ task }) => {
	const other = plugIn({ vendorId: 0x046d, productId: 0xc31c, serial: 'DESK', name: 'Desk keyboard' });
	const { emulator, scans } = await opened();
	const heard = { scanner: 0, desk: 0 };
	for (const [who, vendor] of [
		['scanner', '05e0'],
		['desk', '046d'],
	] as const) {
		const node = (await listInputEvents()).find(({ vendorId, isKeyboard }) => vendorId === vendor && isKeyboard);
		const file = await openDeviceFile(node?.path ?? '', { access: 'read', lock: false });
		const events = await readEvents(file.fd, 24, () => void heard[who]++);
		onTestFinished(async () => {
			await events.stop();
			file.close();
		});
	}
	await emulator.type('SW1:SECRET\n');
	await other.type('hello\n');
	await expect.poll(() => scans.length, patience).toBe(1);
	await expect.poll(() => heard.desk, patience).toBeGreaterThan(10);
	expect(heard.scanner).toBe(0);
	expect(scans).toMatchObject([{ text: 'SW1:SECRET' }]);
	Object.assign(task.meta, {
		figures: {
			sent: '11 keys at the scanner, 6 at a desk',
			seen: `1 scan; a second reader: 0 and ${heard.desk} events`,
		},
	});
});

test('never opens a keyboard that is not named', async () => {
	plugIn();
	await sleep(500);
	await expect(hidKeyboard.open({}, io([]))).rejects.toMatchObject({ code: 'config_invalid' });
	await expect(hidKeyboard.open({ device: '1234:5678' }, io([]))).rejects.toMatchObject({ code: 'device_absent' });
});

test('a code of which the kernel lost keys is none, and the next one is read', async ({ task }) => {
	const { emulator, scans } = await opened();
	// Far more than evdev keeps for a reader, in one go.
	for (let tries = 0; tries < 20 && !scans.some(({ kind }) => kind === 'unreadable'); tries += 1) {
		emulator.burst(`${'x'.repeat(400)}\n`);
		await sleep(1_000);
	}
	const lost = scans.filter(({ kind }) => kind === 'unreadable').length;
	expect(lost).toBeGreaterThan(0);
	for (const scan of scans) if (scan.kind === 'code') expect(scan.text).toBe('x'.repeat(400));
	await emulator.type('GOOD\n');
	await expect.poll(() => scans.at(-1), patience).toMatchObject({ kind: 'code', text: 'GOOD' });
	Object.assign(task.meta, {
		figures: { sent: 'bursts of 802 reports', seen: `${lost} dropped codes, told; then the next one` },
	});
});
