import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { BleAdapter } from './adapter.ts';
import { openBleLink } from './ble-link.ts';
import { type BluezAir, openBluezAir } from './bluez.suite.ts';
import { nordicUart } from './nordic-uart.ts';
import type { Heard } from './radio.ts';

const patience = { timeout: 30_000 };

let air: BluezAir;
beforeAll(async () => {
	air = await openBluezAir([
		{ name: 'EAST-1', writes: 'request', batteryPercent: 81 },
		{ name: 'WEST-1', writes: 'command', batteryPercent: 42 },
	]);
}, 300_000);
afterAll(() => air?.close());

async function opened(): Promise<BleAdapter & { readonly pid: number }> {
	const adapter = await openBleLink({ adapter: air.adapter });
	onTestFinished(() => adapter.close());
	return adapter;
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
});
