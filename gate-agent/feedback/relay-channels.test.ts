import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Feedback, Relay } from '../core/device.ts';
import { eventually } from '../emulators/eventually.suite.ts';
import { createRelayContacts, type RelayContacts } from '../emulators/relay-board.ts';
import { simulatedRelay } from '../relays/simulated.ts';
import { relayChannels } from './relay-channels.ts';

const nowMs = () => performance.now();
const green = 2;
const red = 3;
const buzzer = 4;
const options = {
	idle: [{ channel: red }],
	granted: [{ channel: green }],
	cue: [{ channel: green, pattern: 'blink', onMs: 60, offMs: 60 }],
	refused: [{ channel: red }, { channel: buzzer, pattern: 'once', onMs: 80 }],
	emergency: [{ channel: green, pattern: 'blink', onMs: 50, offMs: 50, times: 3 }],
} as const;

describe('lamps on relay channels', () => {
	let contacts: RelayContacts;
	let relay: Relay;
	let feedback: Feedback;
	let events: string[];
	const lit = () => [green, red, buzzer].filter(contacts.isClosed);
	const closings = (channel: number) => contacts.edges.filter((edge) => edge.channel === channel && edge.closed).length;
	const open = (relayOfLamps: Relay) =>
		relayChannels.open(structuredClone(options) as unknown as Parameters<typeof relayChannels.open>[0], {
			nowMs,
			log: (event) => events.push(event),
			relay: relayOfLamps,
		});

	beforeEach(async () => {
		events = [];
		contacts = createRelayContacts(8, () => {}, nowMs);
		relay = await simulatedRelay.open({}, { nowMs, log: () => {}, onCoil: contacts.move });
		feedback = await open(relay);
	});
	afterEach(async () => {
		await feedback.close();
		await relay.close();
	});

	it('light nothing before the first signal', () => {
		expect(contacts.edges).toEqual([]);
	});

	it('show one signal at a time', async () => {
		feedback.signal('idle');
		await eventually(() => lit().join() === `${red}`);
		feedback.signal('granted');
		await eventually(() => lit().join() === `${green}`);
		feedback.signal('wait');
		await eventually(() => lit().length === 0);
	});

	it('sound once for each refusal, also for the same one again', async () => {
		feedback.signal('refused');
		await eventually(() => closings(buzzer) === 1 && lit().join() === `${red}`);
		feedback.signal('refused');
		await eventually(() => closings(buzzer) === 2 && lit().join() === `${red}`);
		expect(closings(red)).toBe(1);
	});

	it('blink until the next signal, and in rhythm when it is repeated', async () => {
		feedback.signal('cue');
		await eventually(() => closings(green) === 2);
		feedback.signal('cue');
		await eventually(() => closings(green) === 4);
		feedback.signal('idle');
		await eventually(() => lit().join() === `${red}`);
		const after = closings(green);
		await delay(200);
		expect(closings(green)).toBe(after);
	});

	it('blink a number of times', async () => {
		feedback.signal('emergency');
		await eventually(() => closings(green) === 3 && lit().length === 0);
		await delay(200);
		expect(closings(green)).toBe(3);
	});

	it('go dark at the end, and stay so', async () => {
		feedback.signal('cue');
		await eventually(() => closings(green) === 1);
		await feedback.close();
		await feedback.close();
		expect(lit()).toEqual([]);
		feedback.signal('granted');
		await delay(150);
		expect(lit()).toEqual([]);
	});

	it('leave the channel of the gate alone', async () => {
		await relay.set(1, 'hold');
		for (const signal of ['idle', 'granted', 'refused'] as const) feedback.signal(signal);
		await feedback.close();
		expect(contacts.edges.filter(({ channel }) => channel === 1)).toHaveLength(1);
	});

	it('never throw, hold no more than one order a channel, and recover when the relay fails', async () => {
		let failing = true;
		let orders = 0;
		const shaky: Relay = {
			...relay,
			async set(channel, state) {
				orders++;
				if (failing) throw new Error('no answer');
				await relay.set(channel, state);
			},
		};
		const lamps = await open(shaky);
		for (let i = 0; i < 1000; i++) lamps.signal(i % 2 === 0 ? 'granted' : 'refused');
		await eventually(() => events.includes('feedback_failed'));
		expect(orders).toBeLessThan(10);
		expect(events).toHaveLength(1);
		failing = false;
		await eventually(() => lit().join() === `${red}`);
		await lamps.close();
	});

	it('end in bounded time when the relay never answers', async () => {
		const dead = await open({ ...relay, set: () => new Promise(() => {}) });
		dead.signal('granted');
		const startedAtMs = nowMs();
		await dead.close();
		expect(nowMs() - startedAtMs).toBeLessThan(1500);
	});
});
