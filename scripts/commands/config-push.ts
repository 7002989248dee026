import { readFile } from 'node:fs/promises';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { judgePushed } from '../../gate-agent/pushed-config.ts';
import type { ConfigOptions } from './config-show.ts';
import { exitCodes } from './exit.ts';
import { withOffice } from './office-client.ts';
import { jsonLine, type Terminal } from './output.ts';

/** The options of `config push`. */
export interface ConfigPushOptions extends ConfigOptions {
	readonly file: string;
	readonly note?: string;
}

/** The options of `config rollback`. */
export interface ConfigRollbackOptions extends ConfigOptions {
	readonly to: number;
	readonly note?: string;
}

/** Checks a file as a gate would, and pushes it. Ends with 3 where it is not valid; then nothing is sent. */
export async function pushConfig(options: ConfigPushOptions, terminal: Terminal): Promise<void> {
	const { gate, file, note } = options;
	const text = await readText(file);
	const why = whyInvalid(text, gate);
	if (why !== undefined) {
		terminal.finish(exitCodes.found);
		if (options.json) await terminal.out.write(jsonLine({ gate, pushed: false, problem: why }));
		else await terminal.err.write(`error: ${file} is not valid for ${gate}: ${why}\n`);
		return;
	}
	await send(options, { path: '', body: { text, ...(note !== undefined && { note }) } }, terminal);
}

/** Pushes the text of an older version again. */
export async function rollbackConfig(options: ConfigRollbackOptions, terminal: Terminal): Promise<void> {
	const { to: version, note } = options;
	await send(options, { path: '/rollback', body: { version, ...(note !== undefined && { note }) } }, terminal);
}

async function send(
	{ gate, profile, json }: ConfigOptions,
	{ path, body }: { readonly path: string; readonly body: object },
	terminal: Terminal,
): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		const made = await office.call({ method: 'POST', path: `/configs/${encodeURIComponent(gate)}${path}`, body });
		if (json) return terminal.out.write(jsonLine({ ...made, pushed: true }));
		await terminal.out.write(`version ${made.version} is on its way to ${gate}; see \`config status\`\n`);
	});
}

async function readText(file: string): Promise<string> {
	try {
		return await readFile(file, 'utf8');
	} catch (cause) {
		// Only `readFile` is in here; its errors carry a code.
		const { code } = cause as NodeJS.ErrnoException;
		throw new StilewardError('usage', `--file ${file} cannot be read (${code})`, { cause });
	}
}

/** The gate's own file is not here; what it must have beside the pushed parts is a folder for its data. */
function whyInvalid(text: string, gate: string): string | undefined {
	const own = { file: 'own', value: { data: '.' }, lineOf: () => undefined };
	// The hash is for the way to the gate.
	const judged = judgePushed(own, { version: 0, sha256: '', text }, gate);
	return judged.kind === 'invalid' ? judged.why : undefined;
}
