import { type Static, Type } from 'typebox';
import type { CoilState, Driver, Relay } from '../core/device.ts';
import { StilewardError } from '../core/errors.ts';

/** Options of the `simulated` relay. */
export const simulatedRelayOptions = Type.Object(
	{ channels: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, default: 8 })) },
	{ additionalProperties: false },
);

/** @see simulatedRelayOptions */
export type SimulatedRelayOptions = Static<typeof simulatedRelayOptions>;

/** The longest pulse, ms: an hour. */
const pulseMsMax = 3_600_000;

/** What hears the coils of a simulated relay: a turnstile model. */
export interface SimulatedCoils {
	readonly onCoil: (channel: number, closed: boolean) => void;
}

/** A relay without a board, for machines without hardware. It is never lost; `close` leaves what is on hold. */
export const simulatedRelay: Driver<SimulatedRelayOptions, SimulatedCoils, Relay> = {
	name: 'simulated',
	options: simulatedRelayOptions,
	async open({ channels = 8 }, { onCoil }) {
		const coils = new Map<number, Exclude<CoilState, 'off'> | NodeJS.Timeout>();
		let open = true;

		const release = (channel: number) => {
			const coil = coils.get(channel);
			if (typeof coil === 'object') clearTimeout(coil);
			if (coils.delete(channel)) onCoil(channel, false);
		};
		const check = (channel: number) => {
			if (!open) throw new StilewardError('device_lost', 'the simulated relay was closed');
			if (Number.isInteger(channel) && channel >= 1 && channel <= channels) return;
			throw new StilewardError('config_invalid', `the simulated relay has no channel ${channel}, only 1…${channels}`);
		};
		return {
			pulseTiming: 'hardware',
			channels,
			lost: new Promise(() => {}),
			async pulse(channel, ms) {
				check(channel);
				if (!(ms >= 1 && ms <= pulseMsMax)) {
					throw new StilewardError('config_invalid', `a pulse lasts 1…${pulseMsMax} ms, not ${ms}`);
				}
				if (coils.has(channel)) throw new StilewardError('device_busy', `channel ${channel} is closed already`);
				coils.set(
					channel,
					setTimeout(() => release(channel), ms),
				);
				onCoil(channel, true);
			},
			async set(channel, state) {
				check(channel);
				if (state === 'off') return release(channel);
				const before = coils.get(channel);
				if (typeof before === 'object') clearTimeout(before);
				coils.set(channel, state);
				if (before === undefined) onCoil(channel, true);
			},
			async read() {
				check(1);
				return Array.from({ length: channels }, (_, i) => coils.has(i + 1));
			},
			async close() {
				open = false;
				// A pulse ends by its own timer, as on a board; what is on ends with the agent.
				for (const [channel, coil] of [...coils]) if (coil === 'on') release(channel);
			},
		};
	},
};
