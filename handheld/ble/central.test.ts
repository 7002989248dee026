import { describe, expect, it, onTestFinished } from 'vitest';
import type { PeerLink, PeerWish } from './adapter.ts';
import { createCentral } from './central.ts';
import { gattWaitingMax } from './gatt-queue.ts';
import { nordicUart } from './nordic-uart.ts';
import { uartScanner } from './scripted-peers.ts';
import { createScriptedRadio } from './scripted-radio.ts';

const [east, west] = ['c0:00:00:00:00:01', 'c0:00:00:00:00:02'] as const;
const limits = { searchMs: 300, connectMs: 200, discoverMs: 200, operationMs: 200, disconnectMs: 100, batteryMs: 50 };
const patience = { timeout: 5_000 };

function bench() {
	const radio = createScriptedRadio([uartScanner(east, 'BS80-1', 80), uartScanner(west, 'BS80-2', 40)]);
	const central = createCentral(radio, limits);
	onTestFinished(() => central.close());
	const told: string[] = [];
	const batteries: Record<string, number> = {};
	const open = (address: string, wish: Partial<PeerWish> = {}): Promise<PeerLink> =>
		central.open(
			{ peer: { address }, listen: [nordicUart.notify], battery: true, ...wish },
			{
				onBytes: (bytes) => void told.push(`${address.at(-1)} ${Buffer.from(bytes)}`),
				onBattery: (percent) => {
					batteries[address] = percent;
				},
			},
		);
	const say = (address: string, text: string) => radio.notify(address, nordicUart.notify, Buffer.from(text));
	return { radio, central, told, batteries, open, say };
}

describe('a central', () => {
	it('serves several scanners, each with its own bytes and battery', async () => {
		const { open, say, told, radio, batteries } = bench();
		const [, other] = await Promise.all([open(east), open(west)]);
		say(east, 'ONE');
		say(west, 'TWO');
		await other.write(nordicUart.write, Uint8Array.of(7));
		expect(told).toEqual(['1 ONE', '2 TWO']);
		expect(batteries).toEqual({ [east]: 80, [west]: 40 });
		expect(radio.written(west)).toEqual([Uint8Array.of(7)]);
		expect(radio.written(east)).toEqual([]);
	});

	it('never listens while it connects, and listens only while it looks for something', async () => {
		const { open, radio } = bench();
		await Promise.all([open(east), open(west)]);
		await expect.poll(() => radio.calls.at(-1), patience).not.toBe('listen');
		for (const [index, call] of radio.calls.entries()) {
			if (!call.startsWith('connect')) continue;
			expect(radio.calls.slice(0, index).findLast((each) => !each.startsWith('connect'))).toBe('silence');
		}
	});

	it.each(['connect', 'discover', 'subscribe', 'read'] as const)(
		'gives a scanner up that hangs at %s, and serves the other meanwhile',
		async (step) => {
			const { open, radio, say, told } = bench();
			radio.hang(east, [step]);
			const hanging = open(east);
			const [failure] = await Promise.all([hanging.catch(({ code }) => code), open(west)]);
			say(west, 'TWO');
			expect(failure).toBe('device_timeout');
			expect(told).toEqual(['2 TWO']);
			radio.hang(east, []);
			await open(east);
			say(east, 'ONE');
			expect(told).toEqual(['2 TWO', '1 ONE']);
		},
	);

	it('loses a scanner that takes no write, and no other', async () => {
		const { open, radio, say, told } = bench();
		const [one, other] = await Promise.all([open(east, { battery: false }), open(west)]);
		radio.hang(east, ['write', 'disconnect']);
		const stuck = one.write(nordicUart.write, Uint8Array.of(1));
		const waiting = one.write(nordicUart.write, Uint8Array.of(2));
		await other.write(nordicUart.write, Uint8Array.of(3));
		expect(radio.written(west)).toEqual([Uint8Array.of(3)]);
		await expect(stuck).rejects.toMatchObject({ code: 'device_timeout' });
		await expect(waiting).rejects.toMatchObject({ code: 'device_timeout' });
		expect(await one.lost).toMatchObject({ code: 'device_lost', message: expect.stringContaining('hangs') });
		say(west, 'STILL');
		expect(told).toEqual(['2 STILL']);
	});

	it('lets only so many operations wait', async () => {
		const { open, radio } = bench();
		const one = await open(east, { battery: false });
		radio.hang(east, ['write']);
		const writes = Array.from({ length: gattWaitingMax + 1 }, () => one.write(nordicUart.write, Uint8Array.of(1)));
		const codes = (await Promise.allSettled(writes)).map((write) => write.status === 'rejected' && write.reason.code);
		expect(codes.at(-1)).toBe('device_busy');
		expect(codes.slice(0, -1)).not.toContain('device_busy');
	});

	it('tells a broken link as lost, and finds the scanner again', async () => {
		const { open, radio, say, told } = bench();
		const one = await open(east);
		radio.vanish(east);
		expect(await one.lost).toMatchObject({ code: 'device_lost' });
		await expect(open(east)).rejects.toMatchObject({ code: 'device_absent' });
		radio.appear(east);
		await open(east);
		say(east, 'AGAIN');
		expect(told).toEqual(['1 AGAIN']);
	});

	it('gives a scanner to one at a time, by address or by name', async () => {
		const { open, central } = bench();
		await open(east);
		await expect(open(east)).rejects.toMatchObject({ code: 'device_busy' });
		const wish = { peer: { name: 'BS80-1' }, listen: 'all', battery: false } as const;
		await expect(central.open(wish, { onBytes: () => {} })).rejects.toMatchObject({ code: 'device_absent' });
	});

	it('says which services a peripheral has where the wanted one is missing', async () => {
		const { open, radio } = bench();
		const other = { service: 'fff0', characteristic: 'fff1' };
		await expect(open(east, { listen: [other] })).rejects.toMatchObject({ code: 'device_protocol' });
		expect(radio.isConnected(east)).toBe(false);
	});

	it('loses all scanners with its adapter', async () => {
		const { open, radio, central } = bench();
		const links = await Promise.all([open(east), open(west)]);
		radio.unplug();
		for (const link of links) expect(await link.lost).toMatchObject({ code: 'device_lost' });
		await expect(
			central.open({ peer: {}, listen: 'all', battery: false }, { onBytes: () => {} }),
		).rejects.toMatchObject({ code: 'device_lost' });
	});
});
