import type { GateConfig, GateConfigFacts } from '../../sync/server/gate-configs.ts';
import type { Device } from '../../sync/server/store.ts';
import { readDevices } from './device-names.ts';
import { type OfficeClient, withOffice } from './office-client.ts';
import type { SessionOptions } from './office-options.ts';
import { jsonLine, type Terminal, table } from './output.ts';
import { localTime } from './times.ts';

/** The options of commands about one gate. */
export interface ConfigOptions extends SessionOptions {
	readonly gate: string;
}

/** The options of `config show`. */
export interface ConfigShowOptions extends ConfigOptions {
	readonly number?: number;
}

/** Shows a version: its text, so that it can be kept as a file. */
export async function showConfig(options: ConfigShowOptions, terminal: Terminal): Promise<void> {
	const { gate, profile, json } = options;
	await withOffice(profile, terminal, async (office) => {
		// Without a version of its own the list says which is the newest; a gate that has none has no version 1 either.
		const version = options.number ?? (await historyOf(office, gate))[0]?.version ?? 1;
		const answer = await office.call({ method: 'GET', path: `${pathOf(gate)}/${version}` });
		// The server's answer has this form.
		const config = answer as unknown as GateConfig;
		if (json) return terminal.out.write(jsonLine(config));
		await terminal.err.write(`version ${config.version} of ${gate}, ${byline(config)}\n`);
		await terminal.out.write(config.text.endsWith('\n') ? config.text : `${config.text}\n`);
	});
}

/** Lists the versions of a gate. */
export async function listHistory({ gate, profile, json }: ConfigOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		const history = await historyOf(office, gate);
		const rows = history.map((each) => {
			const { version, atMs, by, copyOf, note, sha256 } = each;
			return [String(version), at(atMs), by, copyOf === undefined ? '' : `as ${copyOf}`, sha256.slice(0, 8), note];
		});
		const text = table([['VERSION', 'PUSHED', 'BY', 'TEXT', 'HASH', 'NOTE'], ...rows]);
		await terminal.out.write(json ? history.map(jsonLine).join('') : text);
	});
}

/** Shows how the newest version of each gate fares. */
export async function configStatus({ profile, json }: SessionOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		const { configs } = await office.call({ method: 'GET', path: '/configs' });
		const devices = await readDevices(office);
		// The server's answer has this form.
		const rows = (configs as readonly GateConfigFacts[]).map((newest) => {
			const device = devices.find(({ name, status }) => name === newest.gate && status !== 'disabled');
			return { newest, config: device?.report?.config, device };
		});
		if (json) {
			const lines = rows.map(({ newest, config, device }) => {
				return jsonLine({ ...newest, device: device?.device ?? null, running: config ?? null });
			});
			return terminal.out.write(lines.join(''));
		}
		const cells = rows.map(({ newest, config, device }) => {
			return [
				newest.gate,
				String(newest.version),
				device === undefined ? 'no device' : configCell(config),
				byline(newest),
			];
		});
		await terminal.out.write(table([['GATE', 'NEWEST', 'RUNS', 'PUSHED'], ...cells]));
	});
}

/** `3`, `3 on trial`, `own file`; and behind an exclamation mark what the gate has refused and why. */
export function configCell(config: NonNullable<Device['report']>['config']): string {
	if (config === undefined) return '-';
	const { state, version, refused } = config;
	const runs = state === 'own' ? 'own file' : `${version}${state === 'trial' ? ' on trial' : ''}`;
	return refused === undefined ? runs : `${runs} ! ${refused.version} refused: ${refused.why}`;
}

function byline({ by, atMs, note, copyOf }: GateConfigFacts): string {
	const copy = copyOf === undefined ? '' : `, the text of ${copyOf}`;
	return `${at(atMs)} by ${by}${copy}${note === '' ? '' : `: ${note}`}`;
}

async function historyOf(office: OfficeClient, gate: string): Promise<readonly GateConfigFacts[]> {
	const { configs } = await office.call({ method: 'GET', path: pathOf(gate) });
	// The server's answer has this form.
	return configs as readonly GateConfigFacts[];
}

function pathOf(gate: string): string {
	return `/configs/${encodeURIComponent(gate)}`;
}

function at(ms: number): string {
	return localTime(Math.floor(ms / 1000));
}
