import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createBleAdapters } from '../../handheld/ble/adapters.ts';
import { type BluezAir, type BluezScanner, occupy, openBluezAir } from '../../handheld/ble/bluez.suite.ts';
import { nordicUart } from '../../handheld/ble/nordic-uart.ts';
import type { Scanner } from '../core/device.ts';
import type { Scan } from '../core/scan.ts';
import { type BleOptions, ble } from './ble.ts';
import { newlandAnswer, newlandPacket } from './newland-packets.ts';

const patience = { timeout: 30_000 };
const names = { line: 'LINE-1', newland: 'NLS-BS80-1' } as const;

let air: BluezAir;
let line: BluezScanner;
let newland: BluezScanner;
beforeAll(async () => {
	air = await openBluezAir([
		{ name: names.line, writes: 'command', batteryPercent: 55 },
		{ name: names.newland, writes: 'request', batteryPercent: 90 },
	]);
	[line, newland] = air.scanners as [BluezScanner, BluezScanner];
}, 300_000);
afterAll(() => air?.close());

function optionsOf(more: Partial<BleOptions>): BleOptions {
	return {
		...{ adapter: air.adapter, service: nordicUart.notify.service, battery: true, mode: 'line' },
		...{ notify: nordicUart.notify.characteristic, write: nordicUart.write.characteristic },
		...{ prefix: 'none', suffix: 'cr', aim: 'strip', answerMs: 5_000, ...more },
	};
}

/** Both scanners on one adapter, as an agent with two handheld lanes opens them. */
async function opened() {
	await occupy(air, newland);
	const adapters = createBleAdapters();
	const io = { nowMs: () => performance.now(), log: () => {}, adapters };
	const scans: Record<keyof typeof names, Scan[]> = { line: [], newland: [] };
	const open = async (which: keyof typeof names, more: Partial<BleOptions>): Promise<Scanner> => {
		const onScan = (scan: Scan) => void scans[which].push(scan);
		const scanner = await ble.open(optionsOf({ name: names[which], ...more }), { ...io, onScan });
		onTestFinished(() => scanner.close());
		return scanner;
	};
	const openLine = () => open('line', { good: 'hex:01', bad: 'hex:02' });
	return { scans, openLine, one: await openLine(), other: await open('newland', { mode: 'newland' }) };
}

test('two scanners of one adapter are each told the verdict of their own scans', async ({ task }) => {
	const { scans, one, other } = await opened();
	const signal = (name: Parameters<NonNullable<Scanner['signal']>>[0]) => {
		one.signal?.(name);
		other.signal?.(name);
	};
	const before = { line: line.written.length, newland: newland.written.length };
	const ticket = `SW1:${'AB  9$%*+-./:'.repeat(14).slice(0, 174)}`;
	for (const verdict of ['granted', 'refused'] as const) {
		const [lines, packets] = [scans.line.length, scans.newland.length];
		line.notify(Buffer.from(`${ticket}\r\n`));
		await expect.poll(() => scans.line.length, patience).toBe(lines + 1);
		signal(verdict);
		newland.notify(newlandPacket(Buffer.from(`${ticket}${verdict}`)));
		await expect.poll(() => scans.newland.length, patience).toBe(packets + 1);
		signal(verdict);
	}
	expect(scans.line).toMatchObject([{ text: ticket }, { text: ticket }]);
	expect(scans.newland).toMatchObject([{ text: `${ticket}granted` }, { text: `${ticket}refused` }]);
	await expect.poll(() => line.written.slice(before.line), patience).toEqual(['01', '02']);
	const answers = [newlandAnswer.good, newlandAnswer.bad].map((bytes) => Buffer.from(bytes).toString('hex'));
	await expect.poll(() => newland.written.slice(before.newland), patience).toEqual(answers);
	expect([one.details?.(), other.details?.()]).toMatchObject([{ batteryPercent: 55 }, { batteryPercent: 90 }]);
	Object.assign(task.meta, { figures: { sent: '4 scans of 178 bytes', seen: 'good and bad at both scanners' } });
});

test('a code that the link tore is unreadable, and never joins the next one', async () => {
	const { scans, one, openLine } = await opened();
	line.notify(Buffer.from('SW1:TORN-HALF-OF-A-CODE'));
	await expect.poll(() => scans.line.map(({ kind }) => kind), patience).toEqual(['unreadable']);
	await line.drop();
	expect(await one.lost).toMatchObject({ code: 'device_lost' });
	await one.close();
	let again: Scanner | undefined;
	const attempt = async () => {
		again ??= await openLine().catch(() => undefined);
		return again !== undefined;
	};
	await expect.poll(attempt, { timeout: 60_000 }).toBe(true);
	line.notify(Buffer.from('SW1:GOOD\r'));
	await expect.poll(() => scans.line.at(-1), patience).toMatchObject({ text: 'SW1:GOOD' });
});
