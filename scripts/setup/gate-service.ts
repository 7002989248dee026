import { existsSync } from 'node:fs';
import { serviceUnit } from '../../gate-agent/checks/service.ts';
import type { Surroundings } from '../../gate-agent/checks/surroundings.ts';
import type { Undo } from './undo.ts';

/** Where a running systemd shows itself (sd_booted(3)). */
const bootedMark = '/run/systemd/system';

/** Enables and starts the gate's service. Gives why nothing was done where there is none. */
export async function startService({ run }: Surroundings, undo: Undo): Promise<string | undefined> {
	if (!existsSync(bootedMark)) return 'systemd does not run here';
	const property = async (name: string) =>
		(await run('systemctl', ['show', serviceUnit, '--value', `--property=${name}`]))?.out.trim();
	if ((await property('LoadState')) !== 'loaded') return `there is no ${serviceUnit}: install the Debian package`;
	const wasEnabled = (await property('UnitFileState')) === 'enabled';
	const enabled = await run('systemctl', ['enable', serviceUnit]);
	if (!wasEnabled) undo.push(() => run('systemctl', ['disable', serviceUnit]));
	const started = await run('systemctl', ['restart', serviceUnit]);
	if (enabled?.code !== 0 || started?.code !== 0) return `systemctl refused: see journalctl -u ${serviceUnit}`;
	return undefined;
}
