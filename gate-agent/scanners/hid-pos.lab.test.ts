import { expect, onTestFinished, test } from 'vitest';
import type { Scan } from '../core/scan.ts';
import { openHidPosEmulator } from '../emulators/hid-pos-emulator.ts';
import { posModels } from '../emulators/hid-pos-models.ts';
import { untilThere } from '../nodes/until-there.suite.ts';
import { hidPos } from './hid-pos.ts';
import { describeCodes, describeScans } from './scans.suite.ts';

const patience = { timeout: 20_000 };
const names = Object.keys(posModels) as (keyof typeof posModels)[];

function choiceOf({ vendorId, productId }: { readonly vendorId: number; readonly productId: number }) {
	const digits = (value: number) => value.toString(16).padStart(4, '0');
	return { device: `${digits(vendorId)}:${digits(productId)}` };
}

async function opened(name: keyof typeof posModels, scans: Scan[], options: { readonly asKeyboard?: boolean } = {}) {
	const emulator = openHidPosEmulator(name, options);
	onTestFinished(() => emulator.close());
	const io = { nowMs: () => performance.now(), log: () => {}, onScan: (scan: Scan) => void scans.push(scan) };
	const open = () => hidPos.open(choiceOf(emulator.model), io);
	const scanner = await untilThere(open);
	onTestFinished(() => scanner.close());
	return { emulator, scanner, open };
}

for (const name of names) {
	// Vendors differ in their reports alone.
	const describeIt = name === 'honeywell' ? describeScans : describeCodes;
	describeIt(
		`hid-pos, ${name}`,
		async () => {
			const emulator = openHidPosEmulator(name);
			const choice = choiceOf(emulator.model);
			const io = { nowMs: () => performance.now(), log: () => {} };
			let isNew = true;
			return {
				open: async (events) => {
					const open = () => hidPos.open(choice, { ...io, ...events });
					const scanner = isNew ? await untilThere(open) : await open();
					isNew = false;
					return scanner;
				},
				present: emulator.present,
				tear: (code) => emulator.presentPart(code, 1),
				unplug: emulator.unplug,
				replug: emulator.replug,
				close: async () => emulator.close(),
			};
		},
		{ tellsAim: posModels[name].tellsAim, longest: 2_048 },
	);
}

test('a Honeywell scanner beeps each verdict of its own scan once', async ({ task }) => {
	const scans: Scan[] = [];
	const { emulator, scanner } = await opened('honeywell', scans);
	scanner.signal?.('refused');
	for (const signal of ['granted', 'refused', 'cue'] as const) {
		const before = scans.length;
		await emulator.present('SW1:A  B');
		await expect.poll(() => scans.length, patience).toBe(before + 1);
		scanner.signal?.('wait');
		scanner.signal?.(signal);
		scanner.signal?.('idle');
		scanner.signal?.('refused');
	}
	await expect.poll(() => emulator.beeps, patience).toEqual(['good', 'bad', 'good']);
	Object.assign(task.meta, { figures: { sent: '3 scans', seen: 'good, bad, good at the scanner' } });
});

test('a Honeywell scanner that still is a keyboard is switched to HID POS', async () => {
	const scans: Scan[] = [];
	const { emulator } = await opened('honeywell', scans, { asKeyboard: true });
	expect(emulator.isKeyboard).toBe(false);
	await emulator.present('SW1:SWITCHED');
	await expect.poll(() => scans, patience).toMatchObject([{ text: 'SW1:SWITCHED' }]);
});

test('of two scanners of one kind the serial number tells which is meant', async () => {
	const one = openHidPosEmulator('newland', { serial: 'EAST' });
	const other = openHidPosEmulator('newland', { serial: 'WEST' });
	onTestFinished(() => {
		one.close();
		other.close();
	});
	const scans: Scan[] = [];
	const io = { nowMs: () => performance.now(), log: () => {}, onScan: (scan: Scan) => void scans.push(scan) };
	const choice = choiceOf(one.model);
	const scanner = await untilThere(() => hidPos.open({ ...choice, serial: 'WEST' }, io));
	onTestFinished(() => scanner.close());
	await one.present('EAST');
	await other.present('WEST');
	await expect.poll(() => scans, patience).toMatchObject([{ text: 'WEST' }]);
	await expect(hidPos.open(choice, io)).rejects.toMatchObject({
		code: 'config_invalid',
		message: expect.stringMatching(/EAST.*WEST/),
	});
});
