import { describe, expect, it, onTestFinished } from 'vitest';
import { createBleAdapters } from '../../handheld/ble/adapters.ts';
import { createCentral } from '../../handheld/ble/central.ts';
import { nordicUart } from '../../handheld/ble/nordic-uart.ts';
import { notificationsOf, uartScanner } from '../../handheld/ble/scripted-peers.ts';
import { createScriptedRadio } from '../../handheld/ble/scripted-radio.ts';
import type { ScannerEvents } from '../core/device.ts';
import { type Scan, scanBytesMax } from '../core/scan.ts';
import { type BleOptions, ble } from './ble.ts';
import { newlandAnswer, newlandPacket } from './newland-packets.ts';
import { describeScans } from './scans.suite.ts';

const address = 'c0:00:00:00:00:01';
const limits = {
	searchMs: 200,
	connectMs: 200,
	discoverMs: 200,
	operationMs: 200,
	disconnectMs: 100,
	batteryMs: 60_000,
};
const patience = { timeout: 5_000 };
const nowMs = () => performance.now();

const options: BleOptions = {
	...{ adapter: 'hci0', address, service: nordicUart.notify.service.toUpperCase(), battery: true },
	...{ notify: nordicUart.notify.characteristic, write: nordicUart.write.characteristic, mode: 'line' },
	...{ prefix: 'none', suffix: 'cr', aim: 'strip', answerMs: 300 },
};

/** The driver with a scripted radio at the far end. */
function bench(more: Partial<BleOptions> = {}) {
	const radio = createScriptedRadio([uartScanner(address, 'BS80-0001', 64)]);
	const adapters = createBleAdapters(async () => createCentral(radio, limits));
	const logged: unknown[] = [];
	const io = { nowMs, log: (event: string, fields = {}) => void logged.push({ event, ...fields }) };
	const tell = (bytes: Uint8Array) => {
		for (const part of notificationsOf(bytes)) radio.notify(address, nordicUart.notify, part);
	};
	return {
		...{ radio, tell, logged },
		open: (events: ScannerEvents) => ble.open({ ...options, ...more }, { ...io, adapters, ...events }),
	};
}

async function opened(more: Partial<BleOptions> = {}) {
	const parts = bench(more);
	const scans: Scan[] = [];
	const scanner = await parts.open({ onScan: (scan) => void scans.push(scan) });
	onTestFinished(() => scanner.close());
	const written = () => parts.radio.written(address).map((bytes) => Buffer.from(bytes).toString('hex'));
	return { ...parts, scanner, scans, written };
}

describeScans(
	'ble',
	async () => {
		const { radio, tell, open } = bench();
		return {
			open,
			present: async (code) => tell(Buffer.from(`${code}\r\n`)),
			tear: async (code) => tell(Buffer.from(code)),
			unplug: async () => radio.vanish(address),
			replug: async () => radio.appear(address),
			close: async () => radio.close(),
		};
	},
	{ tellsAim: true, longest: 2_048 },
);

describe('a Bluetooth scanner', () => {
	it('puts a code together from notifications that are cut anywhere', async () => {
		const { radio, scans } = await opened();
		for (const byte of Buffer.from('SW1:A  B\r')) radio.notify(address, nordicUart.notify, Uint8Array.of(byte));
		expect(scans).toMatchObject([{ kind: 'code', text: 'SW1:A  B' }]);
	});

	it('tells a code without an end as unreadable, and reads on', async () => {
		const { tell, scans } = await opened();
		tell(Buffer.alloc(scanBytesMax * 3, 'x'));
		tell(Buffer.from('\rNEXT\r'));
		expect(scans.map((scan) => (scan.kind === 'code' ? scan.text : scan.kind))).toEqual(['unreadable', 'NEXT']);
	});

	it('is sent its verdict once for each scan of its own', async () => {
		const { tell, scanner, written } = await opened({ good: 'hex:01', bad: 'hex:02FF' });
		scanner.signal?.('refused');
		for (const signal of ['granted', 'refused', 'cue'] as const) {
			tell(Buffer.from('CODE\r'));
			scanner.signal?.(signal);
			scanner.signal?.('idle');
			scanner.signal?.('refused');
		}
		await expect.poll(written, patience).toEqual(['01', '02ff', '01']);
	});

	it('answers packets of a Newland scanner with the verdict, or neutrally', async () => {
		const { tell, scanner, scans, written } = await opened({ mode: 'newland' });
		const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
		tell(newlandPacket(Buffer.from('SW1:A  B')));
		scanner.signal?.('granted');
		tell(newlandPacket(Buffer.from('SECOND')));
		scanner.signal?.('refused');
		tell(newlandPacket(Buffer.from('THIRD')));
		const { good, bad, neutral } = newlandAnswer;
		await expect.poll(written, patience).toEqual([hex(good), hex(bad), hex(neutral)]);
		expect(scans).toMatchObject([{ text: 'SW1:A  B' }, { text: 'SECOND' }, { text: 'THIRD' }]);
	});

	it('is lost when it takes no verdict any more', async () => {
		const { tell, scanner, radio, logged } = await opened({ good: 'hex:01' });
		radio.hang(address, ['write']);
		tell(Buffer.from('CODE\r'));
		scanner.signal?.('granted');
		expect(await scanner.lost).toMatchObject({ code: 'device_lost' });
		expect(logged).toMatchObject([{ event: 'verdict_lost', code: 'device_timeout' }]);
	});

	it('says that a verdict was perhaps not heard, where the link broke right after it', async () => {
		const { tell, scanner, radio, logged, written } = await opened({ good: 'hex:01' });
		tell(Buffer.from('CODE\r'));
		scanner.signal?.('granted');
		await expect.poll(written, patience).toEqual(['01']);
		radio.vanish(address);
		await scanner.lost;
		expect(logged).toMatchObject([{ event: 'verdict_lost', problem: expect.stringContaining('the link broke') }]);
	});

	it('says nothing of verdicts where it was closed after one, or broke without one', async () => {
		const [closed, broken] = [await opened({ good: 'hex:01' }), await opened({ good: 'hex:01' })];
		closed.tell(Buffer.from('CODE\r'));
		closed.scanner.signal?.('granted');
		await expect.poll(closed.written, patience).toEqual(['01']);
		await closed.scanner.close();
		broken.radio.vanish(address);
		await Promise.all([closed.scanner.lost, broken.scanner.lost]);
		expect([closed.logged, broken.logged]).toEqual([[], []]);
	});

	it.each([
		['has no place for', { write: 'fff2' }, 'no characteristic fff2'],
		['takes no writes at the place of', { write: nordicUart.notify.characteristic }, 'takes no writes'],
	])('is not opened where it %s its verdicts', async (_, more, problem) => {
		const failure = { code: 'device_protocol', message: expect.stringContaining(problem) };
		await expect(opened({ ...more, good: 'hex:01' })).rejects.toMatchObject(failure);
		// One that is told nothing needs no place for it.
		await opened(more);
	});

	it('shows its address and its battery', async () => {
		const { scanner } = await opened({ address: undefined as never, name: 'BS80' });
		expect(scanner.details?.()).toEqual({ address, batteryPercent: 64 });
	});

	it('does not ask a scanner for its battery where it must not', async () => {
		const { scanner } = await opened({ battery: false });
		expect(scanner.details?.()).toEqual({ address });
	});
});
