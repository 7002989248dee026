import { setTimeout as sleep } from 'node:timers/promises';
import { deviceIo } from '../../gate-agent/checks/device-io.ts';
import { checkDeviceSettings } from '../../gate-agent/config.ts';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { drivers } from '../../gate-agent/drivers.ts';
import { asSets } from './device-part.ts';

/** One pulse and what the board says of it. `confirmed` is absent where it cannot tell its coils. */
export interface PulseResult {
	readonly channel: number;
	readonly pulseMs: number;
	readonly channels: number;
	readonly ended: 'hardware' | 'host';
	readonly confirmed?: boolean;
}

/** A board's own timer is not exact. */
const endedMs = 400;

/** Closes a channel once. Rejects as its driver does. */
export async function pulseOnce(
	settings: Readonly<Record<string, unknown>>,
	{ channel, pulseMs }: { readonly channel: number; readonly pulseMs: number },
	io = deviceIo(),
): Promise<PulseResult> {
	const { driver, options } = checkDeviceSettings('relay', { set: asSets(settings) });
	const relay = await drivers.relays[driver]?.open(options, io);
	if (relay === undefined) throw new StilewardError('usage', `there is no driver ${driver}`);
	try {
		await relay.pulse(channel, pulseMs);
		const closed = (await relay.read())?.[channel - 1];
		await sleep(pulseMs + endedMs);
		const opened = (await relay.read())?.[channel - 1];
		const confirmed = closed === undefined ? {} : { confirmed: closed && opened === false };
		return { channel, pulseMs, channels: relay.channels, ended: relay.pulseTiming, ...confirmed };
	} finally {
		await relay.close();
	}
}
