import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { Radio } from './radio.ts';

/** How an adapter is named: `hci0`, or `replay:FILE` for scripted peripherals. */
export const adapterPattern = '^(hci[0-9]{1,2}|replay:.+)$';

/** Opens the radio of that name. Rejects as `openNobleRadio` and `openReplayRadio` do, and with `unsupported`. */
export async function openRadio(adapter: string): Promise<Radio> {
	if (adapter.startsWith('replay:')) {
		return (await import('./replay-radio.ts')).openReplayRadio(adapter.slice('replay:'.length));
	}
	if (process.platform !== 'linux') {
		throw new StilewardError('unsupported', 'Bluetooth scanners are served on Linux alone');
	}
	return (await import('./noble-radio.ts')).openNobleRadio(Number(adapter.slice('hci'.length)));
}
