import { realpath } from 'node:fs/promises';
import { type PluggedDevice, pluggedDevices, snippetOf } from '../../gate-agent/plugged-devices.ts';
import { type DevicesListOptions, plain } from './devices-list.ts';
import { exitCodes } from './exit.ts';
import { facts, jsonLine, paint, type Terminal } from './output.ts';

/** Says of each device that is known what it is and how a gate names it. */
export async function identifyDevices(
	{ json, path }: DevicesListOptions & { readonly path?: string },
	terminal: Terminal,
): Promise<void> {
	const { out, err } = terminal;
	const real = path === undefined ? undefined : await realpath(path).catch(() => path);
	const devices = (await pluggedDevices()).filter((device) => real === undefined || device.path === real);
	const known = devices.filter(({ models }) => models.length > 0);
	for (const device of known) {
		for (const model of device.models) {
			if (json) await out.write(jsonLine({ ...plain(device), model: model.name, snippet: snippetOf(device, model) }));
			else await out.write(`${describe(device, model, terminal)}\n`);
		}
	}
	const others = devices.length - known.length;
	if (!json && others > 0) {
		await err.write(
			`${others} more devices are of no known model; \`devices list\` shows them. A serial scanner of any make is serial-generic.\n`,
		);
	}
	if (known.length === 0) {
		terminal.finish(exitCodes.found);
		if (!json)
			await err.write(
				path === undefined ? 'no known model is plugged in\n' : `${path} is no known model, or not there\n`,
			);
	}
}

function describe(device: PluggedDevice, model: PluggedDevice['models'][number], { out }: Terminal): string {
	const pulse =
		model.pulse === 'host'
			? 'ended by this computer: use the turnstile’s own pulse mode'
			: model.pulse && 'ended by the board';
	const text = facts(out, [
		['model', `${model.name} (${model.title})`],
		[
			'device',
			`${device.path}${device.serial === '' ? '' : `, serial ${device.serial}`}${device.port === '' ? '' : `, port ${device.port}`}`,
		],
		['driver', model.driver],
		['pulse', pulse],
		['proven', model.proof],
		['gate.yaml', paint(out, 'bold', snippetOf(device, model))],
		['problem', device.problem],
	]);
	return `${text}${model.notes.map(({ en, zh }) => `  - ${en}\n    ${zh}\n`).join('')}`;
}
