import { existsSync } from 'node:fs';
import { serviceUnit } from '../../gate-agent/checks/service.ts';
import type { Surroundings } from '../../gate-agent/checks/surroundings.ts';
import type { Undo } from './undo.ts';

/** Where a running systemd shows itself (sd_booted(3)). */
const bootedMark = '/run/systemd/system';

/** What became of the service. */
export type ServiceStart =
	| { readonly kind: 'started' }
	/** There is none to start here. */
	| { readonly kind: 'none'; readonly why: string }
	| { readonly kind: 'refused'; readonly why: string };

/** Enables the gate's service and has it started anew; a slow machine takes its time for it, and is not waited for here. */
export async function startService(
	{ run }: Pick<Surroundings, 'run'>,
	undo: Undo,
	isBooted = existsSync(bootedMark),
): Promise<ServiceStart> {
	if (!isBooted) return { kind: 'none', why: 'systemd does not run here' };
	const property = async (name: string) =>
		(await run('systemctl', ['show', serviceUnit, '--value', `--property=${name}`]))?.out.trim();
	if ((await property('LoadState')) !== 'loaded') {
		return { kind: 'none', why: `there is no ${serviceUnit}: install the Debian package` };
	}
	const wasEnabled = (await property('UnitFileState')) === 'enabled';
	const enabled = await run('systemctl', ['enable', serviceUnit]);
	if (!wasEnabled) undo.push(() => run('systemctl', ['disable', serviceUnit]));
	const started = await run('systemctl', ['restart', '--no-block', serviceUnit]);
	undo.push(() => run('systemctl', ['stop', '--no-block', serviceUnit]));
	if (enabled?.code === 0 && started?.code === 0) return { kind: 'started' };
	return { kind: 'refused', why: `systemctl refused: see journalctl -u ${serviceUnit}` };
}
