import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createBleAdapters } from './adapters.ts';
import { openBleLink } from './ble-link.ts';
import { nordicUart } from './nordic-uart.ts';
import { radioCommand } from './radio-command.ts';

const patience = { timeout: 15_000 };
const scanner = { address: 'c0:00:00:00:00:01', name: 'BS80-0001', batteryPercent: 64, everyMs: 100 };
const wish = { peer: { name: 'BS80' }, listen: [nordicUart.notify], battery: true } as const;

/** A replayed radio with one scanner, as an adapter is named. */
function replayed(codes: readonly string[]): string {
	const dir = mkdtempSync(join(tmpdir(), 'stileward-ble-'));
	onTestFinished(() => rmSync(dir, { recursive: true }));
	writeFileSync(join(dir, 'radio.json'), JSON.stringify([{ ...scanner, codes }]));
	return `replay:${join(dir, 'radio.json')}`;
}

async function opened(codes: readonly string[] = []) {
	const adapter = await openBleLink({ adapter: replayed(codes) });
	onTestFinished(() => adapter.close());
	return adapter;
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}

describe('the process of an adapter', () => {
	it('tells what its scanner tells, and ends with its adapter', async () => {
		const adapter = await opened(['ONE  TWO']);
		let told = '';
		let percent: number | undefined;
		const link = await adapter.open(wish, {
			onBytes: (bytes) => {
				told += Buffer.from(bytes);
			},
			onBattery: (each) => {
				percent = each;
			},
		});
		await expect.poll(() => told, patience).toBe('ONE  TWO\r\n');
		await link.write(nordicUart.write, Uint8Array.of(1));
		expect([link.address, percent]).toEqual([scanner.address, 64]);
		await link.close();
		expect(await link.lost).toMatchObject({ code: 'device_lost' });
		await adapter.close();
		expect(isAlive(adapter.pid)).toBe(false);
	});

	it.each([
		['is killed', 'SIGKILL'],
		['hangs', 'SIGSTOP'],
	] as const)(
		'is lost with all its scanners when it %s',
		async (_what, signal) => {
			const adapter = await opened();
			const link = await adapter.open(wish, { onBytes: () => {} });
			process.kill(adapter.pid, signal);
			const write = link.write(nordicUart.write, Uint8Array.of(1));
			await expect(write).rejects.toMatchObject({ code: expect.stringMatching(/device_(lost|timeout)/) });
			expect(await link.lost).toMatchObject({ code: 'device_lost' });
			expect(await adapter.lost).toMatchObject({ code: 'device_lost' });
			expect(isAlive(adapter.pid)).toBe(false);
			await expect(adapter.open(wish, { onBytes: () => {} })).rejects.toMatchObject({ code: 'device_lost' });
		},
		30_000,
	);

	it('says that it has no radio', async () => {
		await expect(openBleLink({ adapter: 'replay:/nowhere.json' })).rejects.toMatchObject({ code: 'device_absent' });
		await expect(openBleLink({ adapter: replayed([]), program: '/nowhere/node' })).rejects.toMatchObject({
			code: 'library_missing',
		});
	});

	it('has one right alone where root starts it, and what its file gives it elsewhere', () => {
		const rooted = radioCommand('/node', true);
		expect([rooted.execPath, ...rooted.execArgv].join(' ')).toMatch(
			/^setpriv --bounding-set -all,\+net_raw .*-- \/node /,
		);
		expect(radioCommand('/node', false).execPath).toBe('/node');
	});
});

describe('the adapters of an agent', () => {
	it('are opened once, and closed with their last scanner', async () => {
		const adapter = replayed([]);
		const pids: number[] = [];
		const adapters = createBleAdapters(async (options) => {
			const link = await openBleLink(options);
			pids.push(link.pid);
			return link;
		});
		const [one, other] = await Promise.all([adapters.acquire({ adapter }), adapters.acquire({ adapter })]);
		expect(pids).toHaveLength(1);
		await one.close();
		await one.close();
		const link = await other.open(wish, { onBytes: () => {} });
		expect(link.address).toBe(scanner.address);
		await other.close();
		expect(pids.map(isAlive)).toEqual([false]);
		const again = await adapters.acquire({ adapter });
		expect(pids).toHaveLength(2);
		await again.close();
	}, 30_000);
});
