import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Relay } from '../core/device.ts';
import { eventually } from '../emulators/eventually.suite.ts';

/** A driver with a board at the far end of its line. What counts is read from the board. */
export interface RelayBench {
	/** Opens the driver as the agent would; each call is one more opener. */
	open(): Promise<Relay>;
	/** What the contacts of the board did. */
	readonly edges: readonly { readonly atMs: number; readonly channel: number; readonly closed: boolean }[];
	isClosed(channel: number): boolean;
	/** Pulls the plug of the port, and puts it back; absent where there is none. */
	readonly plug?: { unplug(): Promise<void>; replug(): Promise<void> };
	end(): Promise<void>;
}

/** Where boards differ. */
export interface RelayTraits {
	/** How far the far end's pulse may be from the one that was ordered, ms. */
	readonly toleranceMs: number;
	/** Whether the board tells its coils. */
	readonly reads: boolean;
	/** Whether the coils fall open when the port is unplugged; absent where there is no port. */
	readonly fedByPort?: boolean;
}

/** What every relay driver must do, seen from its board. */
export function describeRelay(name: string, makeBench: () => Promise<RelayBench>, traits: RelayTraits): void {
	describe(`relay ${name}`, () => {
		let bench: RelayBench;
		let opened: Relay[];
		const open = async () => {
			const relay = await bench.open();
			opened.push(relay);
			return relay;
		};
		beforeEach(async () => {
			opened = [];
			bench = await makeBench();
		});
		afterEach(async () => {
			await Promise.all(opened.map((relay) => relay.close()));
			await bench.end();
		});

		it('moves no coil when it is opened and closed', async () => {
			const relay = await open();
			await relay.close();
			await relay.close();
			expect(bench.edges).toEqual([]);
		});

		it.each([100, 300])('closes the coil once for a pulse of %i ms', async (ms) => {
			const relay = await open();
			await relay.pulse(2, ms);
			await eventually(() => bench.edges.length >= 2, ms + 1000);
			await delay(150);
			expect(bench.edges).toMatchObject([
				{ channel: 2, closed: true },
				{ channel: 2, closed: false },
			]);
			const [on, off] = bench.edges;
			expect(Math.abs((off?.atMs ?? 0) - (on?.atMs ?? 0) - ms)).toBeLessThanOrEqual(traits.toleranceMs);
		});

		it('pulses two channels at the same time, each once', async () => {
			const relay = await open();
			await Promise.all([relay.pulse(1, 200), relay.pulse(2, 300)]);
			await eventually(() => bench.edges.length >= 4);
			for (const channel of [1, 2]) {
				expect(bench.edges.filter((edge) => edge.channel === channel).map(({ closed }) => closed)).toEqual([
					true,
					false,
				]);
			}
		});

		it('refuses a second pulse while the first one runs, and takes the next after its end', async () => {
			const relay = await open();
			await relay.pulse(1, 300);
			await expect(relay.pulse(1, 300)).rejects.toMatchObject({ code: 'device_busy' });
			await eventually(() => bench.edges.length === 2);
			await eventually(() => !bench.isClosed(1));
			await delay(150);
			await relay.pulse(1, 100);
			await eventually(() => bench.edges.length === 4);
		});

		it('switches on, holds and switches off', async () => {
			const relay = await open();
			await relay.set(1, 'on');
			await eventually(() => bench.isClosed(1));
			await relay.set(1, 'off');
			await eventually(() => !bench.isClosed(1));
			await relay.set(1, 'hold');
			await eventually(() => bench.isClosed(1));
			await expect(relay.pulse(1, 100)).rejects.toMatchObject({ code: 'device_busy' });
			expect(bench.isClosed(1)).toBe(true);
			await relay.set(1, 'off');
			await eventually(() => !bench.isClosed(1));
		});

		it('ends a pulse early when the coil is switched off', async () => {
			const relay = await open();
			await relay.pulse(1, 2000);
			await eventually(() => bench.isClosed(1));
			await relay.set(1, 'off');
			await eventually(() => !bench.isClosed(1), 500);
		});

		it('keeps a hold that was ordered during a pulse', async () => {
			const relay = await open();
			await relay.pulse(1, 300);
			await relay.set(1, 'hold');
			await delay(700);
			await eventually(() => bench.isClosed(1), 100);
		});

		it('opens what is on when it is closed, and leaves what is held', async () => {
			const relay = await open();
			await relay.set(1, 'on');
			await relay.set(2, 'hold');
			await eventually(() => bench.isClosed(1) && bench.isClosed(2));
			await relay.close();
			await eventually(() => !bench.isClosed(1));
			expect(bench.isClosed(2)).toBe(true);
		});

		it('tells its coils where the board can', async () => {
			const relay = await open();
			await relay.set(2, 'on');
			const coils = await relay.read();
			if (traits.reads) expect(coils).toEqual(Array.from({ length: relay.channels }, (_, i) => i === 1));
			else expect(coils).toBeUndefined();
		});

		it('refuses channels and times that do not exist without a word to the board', async () => {
			const relay = await open();
			for (const channel of [0, 99, 1.5, Number.NaN]) {
				await expect(relay.pulse(channel, 100)).rejects.toMatchObject({ code: 'config_invalid' });
				await expect(relay.set(channel, 'on')).rejects.toMatchObject({ code: 'config_invalid' });
			}
			for (const ms of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
				await expect(relay.pulse(1, ms)).rejects.toMatchObject({ code: 'config_invalid' });
			}
			expect(bench.edges).toEqual([]);
		});

		it('rejects every order after it was closed', async () => {
			const relay = await open();
			await relay.close();
			await expect(relay.pulse(1, 100)).rejects.toMatchObject({ code: 'device_lost' });
			await expect(relay.set(1, 'on')).rejects.toMatchObject({ code: 'device_lost' });
			expect(bench.edges).toEqual([]);
		});

		if (traits.fedByPort === undefined) return;
		describe('on a port that can be unplugged', () => {
			const plugged = () => {
				if (bench.plug === undefined) throw new Error('the bench has no plug');
				return bench.plug;
			};

			it('is lost when idle, settles, and works again after a re-plug', async () => {
				const relay = await open();
				await plugged().unplug();
				await expect(relay.lost).resolves.toMatchObject({ code: 'device_lost' });
				await expect(relay.pulse(1, 100)).rejects.toMatchObject({ code: 'device_lost' });
				await expect(relay.set(1, 'on')).rejects.toMatchObject({ code: 'device_lost' });
				await relay.close();
				await expect(open()).rejects.toMatchObject({ code: 'device_absent' });
				await plugged().replug();
				const again = await open();
				await again.pulse(1, 100);
				await eventually(() => bench.edges.length === 2);
			});

			it('is lost in the middle of a pulse, and the coil opens all the same', async () => {
				const relay = await open();
				await relay.pulse(1, 400);
				await eventually(() => bench.isClosed(1));
				await plugged().unplug();
				await expect(relay.lost).resolves.toMatchObject({ code: 'device_lost' });
				await relay.close();
				await eventually(() => !bench.isClosed(1), traits.fedByPort ? 50 : 1000);
				expect(bench.edges).toHaveLength(2);
			});

			it('settles an order that the unplug overtakes', async () => {
				const relay = await open();
				const order = relay.pulse(1, 100).then(
					() => 'done',
					(error) => error.code,
				);
				await plugged().unplug();
				expect(await order).toMatch(/^(done|device_lost|device_timeout)$/);
				await relay.close();
			});

			it('is busy for a second opener, and the first one goes on', async () => {
				const relay = await open();
				await expect(open()).rejects.toMatchObject({ code: 'device_busy' });
				await relay.pulse(1, 100);
				await eventually(() => bench.edges.length === 2);
			});
		});
	});
}
