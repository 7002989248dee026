import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type LogLine, listRows, type RunningGate, startGate, until } from '../../gate-agent/acceptance/gate.suite.ts';
import { bodyOf } from '../acceptance/answer.suite.ts';
import { patienceMs } from '../acceptance/venue.suite.ts';
import type { ConfigReport } from '../protocol/gate-config.ts';
import { type Fleet, type FleetGate, type Sold, soon } from './fleet.suite.ts';

/** The lanes of a gate's own file, as a text that may be pushed. */
export function lanesOf({ config }: Pick<FleetGate, 'config'>): string {
	const text = readFileSync(config, 'utf8');
	return text.slice(text.indexOf('lanes:'));
}

/** Pushes a text past the check of the command line, as a broken or hostile office would. Gives its version. */
export async function pushText({ venue }: Fleet, { name }: Pick<FleetGate, 'name'>, text: string): Promise<number> {
	const answer = await venue.office({ method: 'POST', path: `/v1/office/configs/${name}`, body: { text } });
	return bodyOf<{ version: number }>(answer).version;
}

/** Which configuration a gate says that it runs, at the gate itself. */
export async function runs(gate: FleetGate): Promise<ConfigReport | undefined> {
	const { config } = await gate.running().health();
	return config as ConfigReport | undefined;
}

/** Waits until a gate runs it, as it says itself. */
export async function untilRuns(gate: FleetGate, wanted: Partial<ConfigReport>): Promise<ConfigReport> {
	let told: unknown;
	return until(
		() =>
			`${JSON.stringify(wanted)} at ${gate.name}: ${JSON.stringify(told)} ${gate.running().printed().slice(-3_000)}`,
		async () => {
			// Between two agents nobody listens there.
			const config = await runs(gate).catch(() => undefined);
			told = config;
			return config && holds(config, wanted) ? config : undefined;
		},
		patienceMs,
	);
}

/** Waits until the office has heard it. */
export async function untilReported(fleet: Fleet, gate: FleetGate, wanted: Partial<ConfigReport>): Promise<void> {
	let told: unknown;
	await until(
		() => `${JSON.stringify(wanted)} of ${gate.name} at the office: ${JSON.stringify(told)}`,
		async () => {
			const device = (await fleet.devices()).find(({ device: id }) => id === gate.device);
			told = device?.report?.config;
			return told !== undefined && holds(told as ConfigReport, wanted);
		},
		patienceMs,
	);
}

function holds(config: ConfigReport, wanted: Partial<ConfigReport>): boolean {
	try {
		expect(config).toMatchObject(wanted);
		return true;
	} catch {
		return false;
	}
}

/** How long a visitor waits for an answer before showing the ticket again. */
const againMs = 5_000;

/**
 * A visitor with this ticket comes and stays until admitted: the code is shown again where the lane was away. Fails where the
 * lane refuses, and for a ticket that is told to have entered already.
 */
export async function admitted(gate: FleetGate, ticket: Sold, lane = 1): Promise<void> {
	const { lines } = gate.running();
	const from = lines.length;
	const granted = () => lines.slice(from).find((line) => line.event === 'granted' && line.ticketId === ticket.id);
	const endMs = performance.now() + patienceMs;
	for (;;) {
		await gate.present(ticket, lane);
		const seen = await until('a grant', granted, againMs).catch(() => undefined);
		const refused = lines.slice(from).find((line) => line.event === 'denied' && line.reason !== 'lane_closed');
		expect(refused).toBeUndefined();
		if (seen) return settled(gate, from, seen);
		if (performance.now() > endMs)
			throw new Error(`${ticket.id} was not admitted: ${gate.running().printed().slice(-3_000)}`);
	}
}

/** The board has its bytes by then; an emulated one may read them a moment later. */
async function settled(gate: FleetGate, from: number, { redemptionId }: LogLine): Promise<void> {
	await soon(gate, from, (line) => line.event === 'settled' && line.redemptionId === redemptionId);
}

/**
 * The box of a gate is broken: a spare one is wired to the same scanner and board and enrolled by a code alone. Its own file
 * says where the data lies, and nothing else. Gives it, not started.
 */
export async function swapped({ venue }: Fleet, broken: FleetGate): Promise<FleetGate> {
	const { name, dir, cable } = broken;
	const data = join(dir, 'spare');
	const config = join(dir, 'spare.yaml');
	writeFileSync(config, `data: ${data}\n`);
	const made = await venue.done('device', 'code', '--name', name, '--replace', '--json');
	const { code } = JSON.parse(made) as { code: string };
	const server = ['--server', cable.url, '--fingerprint', venue.fingerprint, '--code', code];
	const enrolled = await venue.done('gate', 'enroll', ...server, '--data', data, '--json');
	const { device } = JSON.parse(enrolled) as { device: string };
	let running: RunningGate | undefined;
	return {
		...broken,
		...{ device, data, config },
		start: async () => {
			running = startGate([], { config });
			await running.ready();
			return running;
		},
		running: () => {
			if (!running) throw new Error('the spare box was not started');
			return running;
		},
		rows: async (...kinds) => (await listRows(data)).filter(({ kind }) => kinds.length === 0 || kinds.includes(kind)),
	};
}
