import { describe, expect, it } from 'vitest';
import type { Device } from './core/device.ts';
import { StilewardError } from './core/errors.ts';
import { backoff, backoffMaxMs, backoffMinMs, type DeviceState, supervise } from './supervisor.ts';

interface Plug {
	readonly device: Device;
	pull(): void;
	readonly closed: () => boolean;
}

function plug(): Plug {
	const lost = Promise.withResolvers<StilewardError>();
	let closed = false;
	return {
		device: {
			lost: lost.promise,
			close: async () => {
				closed = true;
			},
		},
		pull: () => lost.resolve(new StilewardError('device_lost', 'pulled')),
		closed: () => closed,
	};
}

/** Collects states and lets a test wait for the next one of a kind. */
function watch() {
	const states: DeviceState[] = [];
	const waiting: { kind: DeviceState['kind']; resolve: () => void }[] = [];
	return {
		states,
		onState: (state: DeviceState) => {
			states.push(state);
			for (const waiter of waiting.splice(0)) {
				if (waiter.kind === state.kind) waiter.resolve();
				else waiting.push(waiter);
			}
		},
		next: (kind: DeviceState['kind']) => new Promise<void>((resolve) => waiting.push({ kind, resolve })),
	};
}

describe('the supervisor of a device', () => {
	it('opens a lost device again and closes the dead one first', async () => {
		const first = plug();
		const second = plug();
		const plugs = [first, second];
		const { next, onState, states } = watch();
		const ready = next('ready');
		const supervised = supervise({
			name: 'scanner',
			open: async () => {
				expect(plugs.length === 2 || first.closed()).toBe(true);
				return (plugs.shift() as Plug).device;
			},
			onState,
			random: () => 0,
		});
		await ready;
		const again = next('ready');
		first.pull();
		await again;
		expect(supervised.device).toBe(second.device);
		expect(states.map(({ kind }) => kind)).toEqual(['ready', 'absent', 'ready']);
		await supervised.close();
		expect(second.closed()).toBe(true);
		expect(supervised.state.kind).toBe('closed');
	});

	it('keeps trying a device that is absent, and says so once', async () => {
		let attempts = 0;
		const { next, onState, states } = watch();
		const ready = next('ready');
		const supervised = supervise({
			name: 'relay',
			open: async () => {
				attempts += 1;
				if (attempts < 3) throw new StilewardError('device_absent', 'no /dev/relay');
				return plug().device;
			},
			onState,
			random: () => 0,
		});
		await ready;
		expect(states.map(({ kind }) => kind)).toEqual(['absent', 'ready']);
		await supervised.close();
	});

	it('closes a device that cannot be prepared, and tries again', async () => {
		const plugs = [plug(), plug()];
		const opened: Plug[] = [];
		const { next, onState, states } = watch();
		const ready = next('ready');
		const supervised = supervise({
			name: 'relay',
			open: async () => {
				const one = plugs.shift() as Plug;
				opened.push(one);
				return one.device;
			},
			prepare: async () => {
				if (opened.length === 1) throw new StilewardError('device_timeout', 'no answer');
			},
			onState,
			random: () => 0,
		});
		await ready;
		expect(opened.map((one) => one.closed())).toEqual([true, false]);
		expect(states[0]).toMatchObject({ kind: 'degraded', error: { code: 'device_timeout' } });
		await supervised.close();
	});

	it('does not wait for a device that hangs while it is opened, and closes it when it comes late', async () => {
		const late = plug();
		const opening = Promise.withResolvers<Device>();
		const { onState } = watch();
		const supervised = supervise({ name: 'relay', open: () => opening.promise, onState, random: () => 0 });
		const beganMs = performance.now();
		await supervised.close();
		expect(performance.now() - beganMs).toBeLessThan(3_000);
		opening.resolve(late.device);
		await expect.poll(late.closed).toBe(true);
		expect(supervised.state.kind).toBe('closed');
	});

	it('waits from 0.2 s doubling to 2 s, with jitter', () => {
		const delays = backoff(() => 1);
		expect(Array.from({ length: 6 }, () => delays.next().value)).toEqual([200, 400, 800, 1600, 2000, 2000]);
		expect(backoff(() => 0).next().value).toBe(backoffMinMs / 2);
		expect(backoffMaxMs).toBeLessThan(5_000);
	});
});
