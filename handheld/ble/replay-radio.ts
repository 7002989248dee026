import { readFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { nordicUart } from './nordic-uart.ts';
import type { Radio } from './radio.ts';
import { notificationsOf, uartScanner } from './scripted-peers.ts';
import { createScriptedRadio } from './scripted-radio.ts';

/** A scanner of a replayed radio: it reads its codes one after another, each a line. */
interface ReplayedScanner {
	readonly address: string;
	readonly name: string;
	readonly codes: readonly string[];
	readonly everyMs: number;
	readonly batteryPercent?: number;
	/** A file that what it is sent is added to, a line of hexadecimal digits each. */
	readonly heard?: string;
}

/** How often a scanner looks whether somebody took it. */
const lookMs = 20;

/**
 * Opens a radio whose scanners stand in a JSON file: `[{ address, name, codes, everyMs, batteryPercent, heard }]`. For trials
 * without Bluetooth. Rejects with `device_absent` where the file cannot be read.
 */
export async function openReplayRadio(path: string): Promise<Radio> {
	const scanners = read(path);
	const radio = createScriptedRadio(
		scanners.map(({ address, name, batteryPercent }) => uartScanner(address, name, batteryPercent)),
	);
	for (const scanner of scanners) play(radio, scanner);
	return radio;
}

function read(path: string): readonly ReplayedScanner[] {
	try {
		// The file is the trial's own.
		return JSON.parse(readFileSync(path, 'utf8')) as readonly ReplayedScanner[];
	} catch (cause) {
		throw new StilewardError('device_absent', `the file ${path} cannot be read as scanners`, { cause });
	}
}

function play(radio: ReturnType<typeof createScriptedRadio>, scanner: ReplayedScanner): void {
	const { address, codes, everyMs, heard } = scanner;
	let next = 0;
	let waitedMs = 0;
	let kept = 0;
	setInterval(() => {
		const written = radio.written(address).slice(kept);
		kept += written.length;
		if (heard !== undefined && written.length > 0) {
			void appendFile(heard, written.map((bytes) => `${Buffer.from(bytes).toString('hex')}\n`).join(''));
		}
		waitedMs = radio.isConnected(address) ? waitedMs + lookMs : 0;
		if (waitedMs < everyMs) return;
		waitedMs = 0;
		const code = codes[next++];
		if (code === undefined) return;
		for (const bytes of notificationsOf(Buffer.from(`${code}\r\n`))) radio.notify(address, nordicUart.notify, bytes);
	}, lookMs);
}
