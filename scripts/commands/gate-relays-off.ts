import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parse } from 'yaml';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { type CoilState, coilRecordFile, readCoilRecord } from '../../gate-agent/service/coil-record.ts';
import { type BoardOff, switchCoilsOff } from '../../gate-agent/service/relays-off.ts';
import { exitCodes } from './exit.ts';
import { jsonLine, type Terminal } from './output.ts';

/** The options of `gate relays-off`. */
export interface RelaysOffOptions {
	readonly config: string;
	readonly json?: true;
}

/**
 * Switches off what the last agent drove. What that was stands in its record, not in the configuration, which somebody
 * may have changed since. Without a record no agent has touched a relay.
 */
export async function relaysOff({ config, json }: RelaysOffOptions, terminal: Terminal): Promise<void> {
	const state = recordOf(config);
	if (state === undefined) await terminal.err.write('no agent has driven a relay here since the machine was started\n');
	const boards = state === undefined ? [] : await switchCoilsOff(state);
	if (boards.some(({ problem }) => problem !== undefined)) terminal.finish(exitCodes.operating);
	for (const board of boards) await terminal.out.write(json ? jsonLine(board) : lineOf(board));
	// A serial port that was opened keeps the process alive, and some never close.
	process.exit();
}

/** Where the service's agent keeps its record; a person's shell has no `RUNTIME_DIRECTORY`. */
const serviceFolder = '/run/stileward';

function recordOf(config: string): CoilState | undefined {
	const { RUNTIME_DIRECTORY: own } = process.env;
	const folders = own ? [own] : [dataFolderOf(config), serviceFolder];
	return folders.map((folder) => readCoilRecord(coilRecordFile(folder))).find((state) => state !== undefined);
}

/** The one key that is needed; the whole configuration is not checked, because loading what checks it takes seconds. */
function dataFolderOf(config: string): string {
	const { data } = (parse(readFileSync(config, 'utf8')) ?? {}) as { readonly data?: unknown };
	if (typeof data === 'string') return data;
	throw new StilewardError('config_invalid', `${config} names no folder as data`);
}

function lineOf({ board, off, held, problem }: BoardOff): string {
	const parts = [
		...(off.length > 0 ? [`off: ${off.join(', ')}`] : []),
		...(held.length > 0 ? [`left, an emergency is on: ${held.join(', ')}`] : []),
		...(problem === undefined ? [] : [`failed: ${problem}`]),
	];
	return `${board}: ${parts.join('; ')}\n`;
}
