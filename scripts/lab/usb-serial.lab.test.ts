import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
	exampleConfig,
	issue,
	listRows,
	makeKeys,
	type RunningGate,
	startGate,
	temporaryFolder,
	until,
} from '../../gate-agent/acceptance/gate.suite.ts';
import { type Host, openHost } from './ask-host.ts';
import type { PluggedDevice } from './host-requests.ts';
import { patienceMs, pullAndReplace, untilReady } from './pulled.suite.ts';

let host: Host;
beforeAll(() => {
	host = openHost();
});
afterAll(() => host.close());

/** The name under which udev knows an adapter; undefined while it is not there. */
function linkOf(device: PluggedDevice): string | undefined {
	const folder = '/dev/serial/by-id';
	try {
		const name = readdirSync(folder).find((each) => each.includes(`LAB-${device.toUpperCase()}`));
		return name && join(folder, name);
	} catch {
		return undefined;
	}
}

async function plugIn(device: PluggedDevice): Promise<string> {
	await host.ask({ do: 'plug', device });
	return until(`the adapter of the ${device}`, () => linkOf(device), patienceMs);
}

async function pullOut(device: PluggedDevice): Promise<void> {
	await host.ask({ do: 'unplug', device });
	await until(`the end of the ${device}`, () => linkOf(device) === undefined, patienceMs);
}

interface Lane {
	readonly gate: RunningGate;
	readonly data: string;
	readonly tickets: Iterator<string>;
	/** Closings and openings at the board since the lane began. */
	edges(): Promise<readonly boolean[]>;
	present(code: string, part?: { readonly from?: number; readonly to?: number }): Promise<void>;
	/** Presents the next ticket and waits until its gate has opened and shut. */
	admitOne(): Promise<string>;
}

/** A gate as a technician starts it, on the adapters that are plugged in. */
async function startLane(board: 'relay' | 'bus', config: string, sets: readonly string[]): Promise<Lane> {
	const dir = temporaryFolder();
	const keys = await makeKeys(join(dir, 'keys'));
	const data = join(dir, 'data');
	const tickets = (await issue(keys, ['--first-idx', '0', '--count', '20'])).values();
	const gate = startGate([`keys=${keys}`, `data=${data}`, ...sets], { config: exampleConfig(config) });
	await untilReady(gate);
	// Further channels are lamps.
	const gateEdges = async () =>
		((await host.ask({ do: 'board', board })).edges ?? []).filter(({ channel }) => channel === 1);
	const before = (await gateEdges()).length;
	const edges = async () => (await gateEdges()).slice(before).map(({ closed }) => closed);
	const present: Lane['present'] = async (code, { from = 0, to } = {}) => {
		const bytes = Buffer.from(`${code}\r`).subarray(from, to);
		await host.ask({ do: 'send', hex: bytes.toString('hex') });
	};
	return {
		...{ gate, data, tickets, edges, present },
		admitOne: async () => {
			const code = nextOf(tickets);
			const seen = (await edges()).length;
			await present(code);
			await until('one opening', async () => (await edges()).length === seen + 2, patienceMs);
			return code;
		},
	};
}

function nextOf(tickets: Iterator<string>): string {
	const { value, done } = tickets.next();
	if (done) throw new Error('no ticket is left');
	return value;
}

/** Pulls an adapter out of a running gate, and plugs it in again. */
function pullAdapter({ gate }: Lane, device: PluggedDevice, ...devices: readonly string[]): Promise<string> {
	return pullAndReplace({ gate, devices, unplug: () => pullOut(device), replug: () => plugIn(device) });
}

test('a scanner and a board without a timer, pulled at any moment', { timeout: 300_000 }, async ({ task }) => {
	const [scanner, relay] = [await plugIn('scanner'), await plugIn('relay')];
	const sets = [
		...[`lanes.0.scanner.path=${scanner}`, `lanes.0.relay.path=${relay}`],
		...['lanes.0.relay.pulseMs=800', 'lanes.0.passageTimeoutMs=1500'],
	];
	const lane = await startLane('relay', 'serial-lcus', sets);
	const { gate } = lane;
	const used = [await lane.admitOne()];

	const torn = nextOf(lane.tickets);
	await lane.present(torn, { to: 60 });
	const scannerFigures = await pullAdapter(lane, 'scanner', 'lane-1.scanner');
	// The rest of a code whose beginning is gone opens nothing, and the code itself is still good.
	await lane.present(torn, { from: 60 });
	await sleep(500);
	expect(await lane.edges()).toEqual([true, false]);
	await lane.present(torn);
	await until('one opening', async () => (await lane.edges()).length === 4, patienceMs);
	used.push(torn);

	const during = nextOf(lane.tickets);
	await lane.present(during);
	await until('the pulse', async () => (await lane.edges()).length === 5, patienceMs);
	// A pulse that was not confirmed yet gives its use back.
	const confirmed = () => gate.lines.filter(({ event, outcome }) => event === 'settled' && outcome === 'taken_assumed');
	await until('its confirmation', () => confirmed().length === 3, patienceMs);
	const relayFigures = await pullAdapter(lane, 'relay', 'lane-1.relay');
	used.push(during);
	// Without its current the coil fell, and nothing closes it again.
	expect(await lane.edges()).toEqual([true, false, true, false, true, false]);

	for (let round = 0; round < 3; round += 1) {
		const device = round % 2 === 0 ? 'scanner' : 'relay';
		await pullAdapter(lane, device, `lane-1.${device}`);
	}
	used.push(await lane.admitOne());
	const openings = (await lane.edges()).length;
	// The code that came last is held off for a moment.
	await sleep(2_500);
	for (const code of used) {
		const from = gate.lines.length;
		await lane.present(code);
		await until(
			() => `a refusal after\n${gate.printed().slice(-2_000)}`,
			() => gate.lines.slice(from).find(({ event }) => event === 'denied'),
			patienceMs,
		);
	}
	expect((await lane.edges()).length).toBe(openings);
	await gate.stop();
	const granted = (await listRows(lane.data)).filter(({ kind }) => kind === 'granted');
	expect(granted).toHaveLength(used.length);
	Object.assign(task.meta, {
		figures: {
			sent: `${used.length} tickets, one of them torn by the unplug`,
			seen: `${openings / 2} pulses at the board, ${granted.length} admissions in the ledger, ${used.length} refusals`,
			scanner: scannerFigures,
			relay: relayFigures,
		},
	});
	await Promise.all([pullOut('scanner'), pullOut('relay')]);
});

test('a board with a timer and contacts on an RS-485 bus', { timeout: 300_000 }, async ({ task }) => {
	const [scanner, bus] = [await plugIn('scanner'), await plugIn('bus')];
	const sets = [`lanes.0.scanner.path=${scanner}`, `lanes.0.relay.path=${bus}`, `lanes.0.inputs.path=${bus}`];
	const lane = await startLane('bus', 'waveshare-turnstile', sets);
	const code = nextOf(lane.tickets);
	await lane.present(code);
	await until('one pulse', async () => (await lane.edges()).length >= 2, patienceMs);
	await host.ask({ do: 'contact', channel: 1, active: true });
	await sleep(400);
	await host.ask({ do: 'contact', channel: 1, active: false });
	const settled = async () =>
		(await listRows(lane.data)).filter(({ kind, outcome }) => kind === 'settled' && outcome === 'taken');
	await until('the passage', async () => (await settled()).length === 1, patienceMs);
	const figures = await pullAdapter(lane, 'bus', 'lane-1.relay', 'lane-1.inputs');
	const pulses = (await lane.edges()).filter((closed) => closed).length;
	await lane.gate.stop();
	expect(await settled()).toHaveLength(1);
	expect(pulses).toBe(1);
	Object.assign(task.meta, {
		figures: { sent: '1 ticket, 1 passage', seen: `${pulses} pulse, 1 passage`, bus: figures },
	});
	await Promise.all([pullOut('scanner'), pullOut('bus')]);
});
