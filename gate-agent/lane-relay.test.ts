import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Relay } from './core/device.ts';
import { StilewardError } from './core/errors.ts';
import { createLaneRelay } from './lane-relay.ts';

const coils = { channel: 1, exitChannel: 2, pulseMs: 60 };
const always = () => true;

/** A board that notes what it is told, and refuses a pulse while one runs. */
function board() {
	const told: { readonly atMs: number; readonly what: string }[] = [];
	let busyUntilMs = 0;
	const relay: Relay = {
		pulseTiming: 'hardware',
		channels: 2,
		lost: new Promise(() => undefined),
		pulse: async (channel, ms) => {
			if (performance.now() < busyUntilMs) throw new StilewardError('device_busy', 'the coil is closed');
			busyUntilMs = performance.now() + ms;
			told.push({ atMs: performance.now(), what: `pulse ${channel}` });
		},
		set: async (channel, state) => void told.push({ atMs: performance.now(), what: `${state} ${channel}` }),
		read: async () => undefined,
		close: async () => undefined,
	};
	return { relay, told, occupy: (ms: number) => (busyUntilMs = performance.now() + ms) };
}

function laneRelay(relay: Relay | undefined) {
	return createLaneRelay({
		relay: () => relay,
		coils,
		monoMs: () => performance.now(),
		log: pino({ level: 'silent' }),
	});
}

describe('the relay of a lane', () => {
	it('keeps two pulses apart, so that the turnstile sees two', async () => {
		const { relay, told } = board();
		const lane = laneRelay(relay);
		expect(await Promise.all([lane.pulse('entry', always)])).toEqual([true]);
		expect(await lane.pulse('entry', always)).toBe(true);
		const [first, second] = told;
		expect(Number(second?.atMs) - Number(first?.atMs)).toBeGreaterThanOrEqual(coils.pulseMs + 95);
	});

	it('waits for a pulse that an agent before it began', async () => {
		const { relay, told, occupy } = board();
		occupy(150);
		expect(await laneRelay(relay).pulse('exit', always)).toBe(true);
		expect(told.map(({ what }) => what)).toEqual(['pulse 2']);
	});

	it('does not open for somebody whom the lane gave up meanwhile', async () => {
		const { relay, told } = board();
		const lane = laneRelay(relay);
		await lane.pulse('entry', always);
		expect(await lane.pulse('entry', () => false)).toBe(false);
		expect(told).toHaveLength(1);
	});

	it('says that a board which is gone has not opened', async () => {
		expect(await laneRelay(undefined).pulse('entry', always)).toBe(false);
	});

	it('tells a board that failed again, until the gate stands as it must', async () => {
		const { relay, told } = board();
		let failures = 2;
		const failing: Relay = {
			...relay,
			set: async (channel, state) => {
				failures -= 1;
				if (failures >= 0) throw new StilewardError('device_timeout', 'no answer');
				await relay.set(channel, state);
			},
		};
		await laneRelay(failing).hold('release');
		expect(told.map(({ what }) => what)).toEqual(['off 1', 'off 2']);
	});

	it('does not repeat an order that a newer one has replaced, nor to a board that is gone', async () => {
		const { relay, told } = board();
		let isBroken = true;
		const set: Relay['set'] = async (channel, state) => {
			if (isBroken) throw new StilewardError('device_timeout', 'no answer');
			await relay.set(channel, state);
		};
		const lane = laneRelay({ ...relay, set });
		const open = lane.hold('open');
		isBroken = false;
		await lane.hold('release');
		await open;
		expect(told.map(({ what }) => what)).toEqual(['off 1', 'off 2']);
		await laneRelay(undefined).hold('open');
	});

	it('holds both directions open, and releases both', async () => {
		const { relay, told } = board();
		const lane = laneRelay(relay);
		await lane.hold('open');
		await lane.hold('release');
		expect(told.map(({ what }) => what)).toEqual(['hold 1', 'hold 2', 'off 1', 'off 2']);
	});
});
