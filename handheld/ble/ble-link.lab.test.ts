import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { StilewardError } from '../../gate-agent/core/errors.ts';
import type { BleAdapter, PeerLink } from './adapter.ts';
import { openBleLink } from './ble-link.ts';
import { type BluezAir, type BluezScanner, occupy, openBluezAir } from './bluez.suite.ts';
import { nordicUart } from './nordic-uart.ts';
import type { Heard } from './radio.ts';

const patience = { timeout: 30_000 };

let air: BluezAir;
let east: BluezScanner;
let west: BluezScanner;
beforeAll(async () => {
	air = await openBluezAir([
		{ name: 'EAST-1', writes: 'request', batteryPercent: 81 },
		{ name: 'WEST-1', writes: 'command', batteryPercent: 42 },
	]);
	[east, west] = air.scanners as [BluezScanner, BluezScanner];
}, 300_000);
afterAll(() => air?.close());

async function opened(): Promise<BleAdapter & { readonly pid: number }> {
	const adapter = await openBleLink({ adapter: air.adapter });
	onTestFinished(() => adapter.close());
	return adapter;
}

/** A connected scanner and what it told. */
async function linked(adapter: BleAdapter, { name }: BluezScanner) {
	let told = '';
	const batteries: number[] = [];
	const open = (): Promise<PeerLink> =>
		adapter.open(
			{ peer: { name }, listen: [nordicUart.notify], battery: true },
			{
				onBytes: (bytes) => {
					told += Buffer.from(bytes).toString('latin1');
				},
				onBattery: (percent) => batteries.push(percent),
			},
		);
	return { link: await open(), open, told: () => told, batteries };
}

/** Opens again as a supervisor does, until the scanner is there. */
async function openedAgain(open: () => Promise<PeerLink>): Promise<PeerLink> {
	const links: PeerLink[] = [];
	const attempt = () =>
		open().then(
			(link) => {
				links.push(link);
				return 'opened';
			},
			({ code, message }: StilewardError) => `${code}: ${message}`,
		);
	await expect.poll(attempt, { timeout: 60_000 }).toBe('opened');
	// The poll has seen it opened.
	return links.at(-1) as PeerLink;
}

describe('the process of a Bluetooth adapter', () => {
	test('has one right alone, although it was started by root', async ({ task }) => {
		const { pid } = await opened();
		const status = readFileSync(`/proc/${pid}/status`, 'utf8');
		const rights = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
		expect(BigInt(`0x${rights}`)).toBe(1n << 13n);
		expect(status).toMatch(/^NoNewPrivs:\s*1$/m);
		Object.assign(task.meta, { figures: { rights: 'CAP_NET_RAW' } });
	});

	test('hears what advertises, with names and services', async () => {
		const adapter = await opened();
		const heard = new Map<string, Heard>();
		const stop = adapter.hear((each) => heard.set(each.name ?? each.address, each));
		await expect.poll(() => [...heard.keys()].sort(), patience).toEqual(['EAST-1', 'WEST-1']);
		stop();
		expect(heard.get('EAST-1')).toMatchObject({ services: [nordicUart.notify.service], rssi: expect.any(Number) });
	});

	test('serves two scanners at once: codes in parts, verdicts, batteries', async ({ task }) => {
		await occupy(air, west);
		const adapter = await opened();
		const startedMs = performance.now();
		const one = await linked(adapter, east);
		const openedMs = performance.now() - startedMs;
		const other = await linked(adapter, west);
		const code = `SW1:${'AB  9$%*+-./:'.repeat(20)}`;
		east.notify(Buffer.from(`${code}\r`));
		west.notify(Buffer.from('SW1:WEST\r'));
		await expect.poll(one.told, patience).toBe(`${code}\r`);
		await expect.poll(other.told, patience).toBe('SW1:WEST\r');
		const before = [east.written.length, west.written.length] as const;
		await one.link.write(nordicUart.write, Uint8Array.of(1, 2, 3));
		await other.link.write(nordicUart.write, Uint8Array.of(4));
		await expect.poll(() => east.written.slice(before[0]), patience).toEqual(['010203']);
		await expect.poll(() => west.written.slice(before[1]), patience).toEqual(['04']);
		expect([one.batteries, other.batteries]).toEqual([[81], [42]]);
		Object.assign(task.meta, { figures: { parts: Math.ceil((code.length + 1) / 20), openedMs: Math.round(openedMs) } });
	});

	test('tells a link that the scanner ends, and connects again', async ({ task }) => {
		const adapter = await opened();
		const one = await linked(adapter, east);
		const startedMs = performance.now();
		await east.drop();
		expect(await one.link.lost).toMatchObject({ code: 'device_lost' });
		const lostMs = performance.now() - startedMs;
		await openedAgain(one.open);
		east.notify(Buffer.from('SW1:AGAIN\r'));
		await expect.poll(one.told, patience).toBe('SW1:AGAIN\r');
		const againMs = performance.now() - startedMs;
		Object.assign(task.meta, { figures: { lostMs: Math.round(lostMs), againMs: Math.round(againMs) } });
	});

	test('finds a scanner again that was out of reach', async () => {
		const adapter = await opened();
		const one = await linked(adapter, west);
		onTestFinished(() => west.power(true));
		await west.power(false);
		expect(await one.link.lost).toMatchObject({ code: 'device_lost' });
		// A kernel that switches a controller off may advertise once more as its link ends: then a link is made that answers nothing.
		const refusal = () => one.open().then(undefined, ({ code }: StilewardError) => code);
		await expect.poll(refusal, { timeout: 60_000 }).toBe('device_absent');
		await west.power(true);
		await openedAgain(one.open);
	});

	// The kernel ends a dead process's link a while later; whoever connects before that is stuck, and gives way to a next process.
	test('can be killed: a next one has the scanner again', async ({ task }) => {
		const first = await opened();
		const one = await linked(first, east);
		process.kill(first.pid, 'SIGKILL');
		expect(await one.link.lost).toMatchObject({ code: 'device_lost' });
		expect(await first.lost).toMatchObject({ code: 'device_lost' });
		const startedMs = performance.now();
		let processes = 0;
		let next: BleAdapter | undefined;
		await openedAgain(async () => {
			if (next === undefined) {
				next = await opened();
				processes += 1;
				void next.lost.then(() => {
					next = undefined;
				});
			}
			return next.open(
				{ peer: { name: east.name }, listen: [nordicUart.notify], battery: false },
				{ onBytes: () => {} },
			);
		});
		Object.assign(task.meta, { figures: { processes, againMs: Math.round(performance.now() - startedMs) } });
	});

	test('says that an adapter is not there', async () => {
		await expect(openBleLink({ adapter: 'hci9' })).rejects.toMatchObject({ code: 'device_absent' });
	});

	// The last one: bluetoothd 5.66 dies when a link ends on which it owes the answer to a write.
	test('is not held up by a scanner that never answers a write', async ({ task }) => {
		await occupy(air, west);
		const adapter = await opened();
		const one = await linked(adapter, east);
		const other = await linked(adapter, west);
		east.hang(true);
		const startedMs = performance.now();
		const stuck = one.link.write(nordicUart.write, Uint8Array.of(1)).catch(({ code }) => code);
		west.notify(Buffer.from('SW1:MEANWHILE\r'));
		await other.link.write(nordicUart.write, Uint8Array.of(7));
		await expect.poll(other.told, patience).toBe('SW1:MEANWHILE\r');
		const servedMs = performance.now() - startedMs;
		expect(await stuck).toMatch(/device_(timeout|lost)/);
		expect(await one.link.lost).toMatchObject({ code: 'device_lost' });
		const lostMs = performance.now() - startedMs;
		east.hang(false);
		await openedAgain(one.open);
		Object.assign(task.meta, { figures: { otherServedMs: Math.round(servedMs), givenUpMs: Math.round(lostMs) } });
	});
});
