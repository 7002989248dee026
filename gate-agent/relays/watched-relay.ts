import type { DriverIo, Relay } from '../core/device.ts';
import { StilewardError } from '../core/errors.ts';
import { type CoilPortOptions, coilPortName } from './coil-port.ts';
import { startWatchdog } from './watchdog-link.ts';
import { pulseMsMax } from './watchdog-protocol.ts';

/** Opens a board without a timer through its coil watchdog. Rejects as the board's transport does. */
export async function openWatchedRelay(
	port: CoilPortOptions,
	{ channels, log }: { readonly channels: number; readonly log: DriverIo['log'] },
): Promise<Relay> {
	const watchdog = await startWatchdog(port, log);
	const name = coilPortName(port);
	const check = (channel: number, ms = 1) => {
		if (!Number.isInteger(channel) || channel < 1 || channel > channels) {
			throw new StilewardError('config_invalid', `${name} has no channel ${channel}, only 1…${channels}`);
		}
		if (!Number.isInteger(ms) || ms < 1 || ms > pulseMsMax) {
			throw new StilewardError('config_invalid', `a pulse lasts 1…${pulseMsMax} ms, not ${ms}`);
		}
	};
	return {
		pulseTiming: 'host',
		channels,
		lost: watchdog.lost,
		close: watchdog.close,
		async pulse(channel, ms) {
			check(channel, ms);
			await watchdog.order({ kind: 'pulse', channel, ms });
		},
		async set(channel, state) {
			check(channel);
			await watchdog.order({ kind: state, channel });
		},
		read: async () => (await watchdog.read())?.slice(0, channels),
	};
}
