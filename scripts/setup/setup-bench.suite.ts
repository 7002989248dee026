import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { startGate, temporaryFolder, until } from '../../gate-agent/acceptance/gate.suite.ts';
import { plugIn } from '../../gate-agent/acceptance/lcus-bench.suite.ts';
import { type GrowGmEmulator, openGrowGmEmulator } from '../../gate-agent/emulators/grow-gm-emulator.ts';
import { emulateWaveshare, type WaveshareEmulator } from '../../gate-agent/emulators/waveshare-emulator.ts';
import { startVenue, type Venue } from '../commands/venue.suite.ts';
import { freePort, lineOf } from '../doctor/gate-bench.suite.ts';
import { machineWith } from './fake-machine.suite.ts';

/** A bare box: a Grow module and a Waveshare board are plugged in, and nothing is written yet. */
export interface BareBox {
	readonly dir: string;
	readonly configFile: string;
	readonly data: string;
	readonly scanner: GrowGmEmulator;
	readonly board: WaveshareEmulator;
	/** The command line up to what a test adds. */
	readonly args: readonly string[];
	/** Closes an input for a moment, as a visitor or a hand does. */
	work(channel: number): Promise<void>;
	/** Starts the gate that was set up, and shows it a ticket: gives how often the coil has closed for it. */
	admit(ticket: string): Promise<number>;
}

/** How long a contact is worked: longer than a slow machine needs to see it. */
const contactMs = 700;

/** Sets the box up. A fire loop conducts at input 3, a passage contact does not at input 1. */
export async function bareBox(): Promise<BareBox> {
	const dir = temporaryFolder();
	const [scanner, line, port] = await Promise.all([openGrowGmEmulator(), plugIn(), freePort()]);
	onTestFinished(() => scanner.close());
	const board = emulateWaveshare(line);
	board.setInput(3, true);
	const root = await machineWith(dir, [
		{
			node: 'ttyUSB0',
			path: scanner.path,
			idVendor: '10c4',
			idProduct: 'ea60',
			product: 'CP2102 USB to UART',
			serial: 'A1',
		},
		{ node: 'ttyUSB1', path: line.path, idVendor: '0403', idProduct: '6001', product: 'FT232R USB UART', serial: 'B2' },
	]);
	const [configFile, data] = [join(dir, 'etc', 'gate.yaml'), join(dir, 'var', 'gate')];
	const args = [
		'setup',
		'--root',
		root,
		'--config',
		configFile,
		'--data',
		data,
		'--no-service',
		'--set',
		`http.port=${port}`,
	];
	return {
		...{ dir, configFile, data, scanner, board, args },
		async work(channel) {
			const rest = channel === 3;
			board.setInput(channel, !rest);
			await new Promise((resolve) => setTimeout(resolve, contactMs));
			board.setInput(channel, rest);
		},
		async admit(ticket) {
			const gate = startGate([`http.port=${port}`], { config: configFile });
			await lineOf(gate, 'ready');
			const closed = () => board.edges.filter((edge) => edge.channel === 1 && edge.closed).length;
			const before = closed();
			await scanner.present(ticket);
			await until('the coil', () => closed() > before, 60_000);
			// A visitor walks through.
			board.setInput(1, true);
			await until('a settled grant', () => gate.lines.some(({ event }) => event === 'settled'), 60_000);
			board.setInput(1, false);
			expect(await gate.stop()).toBe(0);
			return closed() - before;
		},
	};
}

/** A real server process with an event, a ticket of it, and a code for a gate. */
export async function venueWithTicket(
	dir: string,
): Promise<{ venue: Venue; ticket: string; newLink(name: string): Promise<string> }> {
	const venue = await startVenue(dir);
	onTestFinished(async () => void (await venue.end()));
	expect((await venue.login()).code).toBe(0);
	expect((await venue.cli(['event', 'create', '--id', 'lantern-2026', '--class', 'adult'])).code).toBe(0);
	const issue = ['order', 'issue', '--event', 'lantern-2026', '--class', 'adult', '--count', '1', '--order', 'A-1'];
	const issued = await venue.cli(issue);
	expect(issued).toMatchObject({ code: 0 });
	return {
		venue,
		ticket: issued.out.trim(),
		newLink: async (name) => {
			const [made] = await venue.json(['device', 'code', '--name', name]);
			return String(made?.link);
		},
	};
}

/** The JSON form of the one report in a data folder. */
export async function readReport(text: string): Promise<Record<string, unknown>> {
	return JSON.parse(await readFile(text.replace(/\.txt$/, '.json'), 'utf8')) as Record<string, unknown>;
}
