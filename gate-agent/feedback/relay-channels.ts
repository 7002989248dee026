import { setTimeout as delay } from 'node:timers/promises';
import { type Static, Type } from 'typebox';
import type { Driver, Feedback, Relay, Signal } from '../core/device.ts';

const lampOptions = Type.Object(
	{
		channel: Type.Integer({ minimum: 1, maximum: 64 }),
		/** `steady` until the next signal; `blink` until then, or `times` times; `once` for `onMs`. */
		pattern: Type.Optional(Type.Union([Type.Literal('steady'), Type.Literal('blink'), Type.Literal('once')])),
		onMs: Type.Optional(Type.Integer({ minimum: 50, maximum: 10_000, default: 300 })),
		offMs: Type.Optional(Type.Integer({ minimum: 50, maximum: 10_000, default: 300 })),
		times: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
	},
	{ additionalProperties: false },
);

/** A lamp or buzzer on one channel, and how it shows a signal. */
export type Lamp = Static<typeof lampOptions>;

const lamps = Type.Optional(Type.Array(lampOptions, { maxItems: 8 }));

/** Options of `relay-channels`: what each signal switches. A signal without lamps is dark and silent. */
export const relayChannelsOptions = Type.Object(
	{
		idle: lamps,
		granted: lamps,
		cue: lamps,
		refused: lamps,
		wait: lamps,
		out_of_service: lamps,
		emergency: lamps,
	},
	{ additionalProperties: false },
);

/** @see relayChannelsOptions */
export type RelayChannelsOptions = Static<typeof relayChannelsOptions>;

/** Switching the lamps off at the end may take this long. */
const closeMs = 1000;
/** After a failed order the lamps rest for this long: a board in trouble must keep its line for the gate. */
const restMs = 1000;

/**
 * Lamps and buzzers on spare channels of a relay that the agent opened and closes. Best effort: an order that fails
 * is logged and given up, and never delays or stops the lane. It is lost when its relay is.
 */
export const relayChannels: Driver<RelayChannelsOptions, { readonly relay: Relay }, Feedback> = {
	name: 'relay-channels',
	options: relayChannelsOptions,
	async open(options, { relay, log }) {
		const used = new Set(Object.values(options).flatMap((each) => each.map(({ channel }) => channel)));
		const panel = createPanel(relay, (cause) => log('feedback_failed', { cause: String(cause) }));
		/** What each blinking lamp waits for. */
		const timers = new Map<number, readonly NodeJS.Timeout[]>();
		let shown: Signal | undefined;
		let closing: Promise<void> | undefined;

		const darken = () => {
			for (const timer of [...timers.values()].flat()) clearTimeout(timer);
			timers.clear();
		};
		const blink = (lamp: Lamp, round: number) => {
			const { channel, pattern = 'steady', onMs = 300, offMs = 300 } = lamp;
			const times = pattern === 'once' ? 1 : (lamp.times ?? Number.POSITIVE_INFINITY);
			panel.want(channel, true);
			if (pattern === 'steady') return;
			const dark = setTimeout(() => panel.want(channel, false), onMs);
			const again = round < times ? [setTimeout(() => blink(lamp, round + 1), onMs + offMs)] : [];
			timers.set(channel, [dark, ...again]);
		};
		const show = (next: readonly Lamp[]) => {
			darken();
			const lit = new Set(next.map(({ channel }) => channel));
			for (const channel of used) if (!lit.has(channel)) panel.want(channel, false);
			for (const lamp of next) blink(lamp, 1);
		};

		return {
			lost: relay.lost,
			signal(signal) {
				if (closing) return;
				// A signal that goes on keeps its rhythm; a second refusal must be heard as one more.
				if (signal === shown && !isShort(options[signal])) return;
				shown = signal;
				show(options[signal] ?? []);
			},
			close() {
				if (!closing) show([]);
				closing ??= panel.settle(closeMs);
				return closing;
			},
		};
	},
};

/** Whether a signal ends by itself, so that repeating it means something. */
function isShort(lampsOfSignal: readonly Lamp[] | undefined): boolean {
	return lampsOfSignal?.some(({ pattern, times }) => pattern === 'once' || times !== undefined) ?? false;
}

/**
 * Brings the channels to the wanted states, one order at a time. It keeps states, not a queue: what was wanted
 * meanwhile replaces what waited, so it never holds more than one order per channel.
 */
function createPanel(relay: Relay, onFailure: (cause: unknown) => void) {
	const wanted = new Map<number, boolean>();
	const actual = new Map<number, boolean>();
	let work: Promise<void> = Promise.resolve();
	let phase: 'idle' | 'busy' | 'resting' | 'ended' = 'idle';
	let rest: NodeJS.Timeout | undefined;
	let failures = 0;

	const orderAll = async () => {
		for (;;) {
			const next = [...wanted].find(([channel, state]) => actual.get(channel) !== state);
			if (next === undefined) break;
			const [channel, state] = next;
			try {
				await relay.set(channel, state ? 'on' : 'off');
				actual.set(channel, state);
				failures = 0;
			} catch (cause) {
				if (failures++ === 0) onFailure(cause);
				// What is on the board is unknown now: every lamp is switched again.
				actual.clear();
				if (phase !== 'ended') startRest();
				return;
			}
		}
		if (phase !== 'ended') phase = 'idle';
	};
	const startRest = () => {
		phase = 'resting';
		rest = setTimeout(() => {
			phase = 'idle';
			run();
		}, restMs);
	};
	const run = () => {
		if (phase !== 'idle') return;
		phase = 'busy';
		work = orderAll();
	};
	return {
		want(channel: number, state: boolean) {
			wanted.set(channel, state);
			run();
		},
		/** Tries once more to bring all lamps to what is wanted, waits for `ms` at most, and does not try again. */
		async settle(ms: number) {
			clearTimeout(rest);
			const before = work;
			phase = 'ended';
			await Promise.race([before.then(orderAll), delay(ms, undefined, { ref: false })]);
		},
	};
}
