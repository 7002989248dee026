import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { enrollGate } from '../../gate-agent/enroll-gate.ts';
import { type EnrolledGate, readEnrollment } from '../../gate-agent/enrollment.ts';
import { buildOf } from '../../gate-agent/main.ts';
import { type LaneId, laneIds, type PracticeState } from './page/practice-wire.ts';
import { openPracticeDevices } from './practice-devices.ts';
import { type PracticeLane, startPracticeLane } from './practice-lane.ts';
import { openLink, type PracticeLink } from './practice-link.ts';
import type { PracticeOffice } from './practice-office.ts';
import type { ServerAccess } from './practice-ticket-server.ts';
import type { Closers, VenueOptions } from './practice-venue.ts';

/** A gate, its lane, and its cable to the server. */
export interface PracticeGate {
	readonly lane: PracticeLane;
	readonly link: PracticeLink;
	readonly devices: PracticeState['devices'];
}

/** The gates of the practice. */
export type Gates = Readonly<Record<LaneId, PracticeGate>>;

/** What gates are opened with. */
export interface GatesOptions extends VenueOptions {
	readonly office: PracticeOffice;
	readonly server: ServerAccess;
	readonly closers: Closers;
}

/** One process plays both gates and the page, and a laptop has more to do: a real gate waits 150 ms. */
export const practiceClaimMs = 1_000;

const gateNames: Readonly<Record<LaneId, string>> = { 'lane-1': 'gate-1', 'lane-2': 'gate-2' };

/** Opens both gates, each enrolled; what was opened is among the closers, also where the other fails. */
export async function openGates(options: GatesOptions): Promise<Gates> {
	const opened = await Promise.allSettled(laneIds.map((id) => openGate(id, options)));
	// All have ended now, so that each that was opened is among the closers.
	const gates = opened.map((each) => {
		if (each.status === 'rejected') throw each.reason;
		return each.value;
	});
	// One for each lane, in their order.
	return Object.fromEntries(laneIds.map((id, at) => [id, gates[at]])) as unknown as Gates;
}

async function openGate(id: LaneId, options: GatesOptions): Promise<PracticeGate> {
	const { timeZone, onChange, openDevices = openPracticeDevices, server, closers } = options;
	const { claimMs = practiceClaimMs } = options;
	const agent = gateNames[id];
	const log = options.log.child({ gate: agent });
	const dir = join(options.dir, agent);
	await mkdir(dir, { recursive: true });
	const link = await openLink(Number(new URL(server.url).port));
	closers.push(link.close);
	const enrolled = await enrolledGate(agent, { ...options, dir, link, log });
	const devices = await openDevices(dir, onChange);
	// The lane closes its devices; without one nobody would.
	const lane = await startPracticeLane({ id, agent, dir, enrolled, devices, timeZone, claimMs, log }).catch(
		async (error: unknown) => {
			await devices.close();
			throw error;
		},
	);
	closers.push(lane.close);
	return { lane, link, devices: devices.kind };
}

/** What the gate is to the venue; the first start enrolls it with a one-time code, as a technician would. */
async function enrolledGate(
	name: string,
	{ dir, link, office, server, log }: Pick<GatesOptions, 'office' | 'server' | 'log' | 'dir'> & { link: PracticeLink },
): Promise<EnrolledGate> {
	const { url } = link;
	if ((await readEnrollment(dir)) === undefined) {
		// `replace`: a start that was cut off may have spent a code for this name.
		const { code } = await office.call({ method: 'POST', path: '/codes', body: { name, replace: true } });
		const { fingerprint } = server;
		const { version } = buildOf();
		await enrollGate({ url, fingerprint, code: String(code), dir, name, version, replace: false, log });
	}
	const gate = await readEnrollment(dir);
	if (gate === undefined) throw new Error('assertion failed: an enrolled gate has its enrollment');
	// The cable lies at another port in each run.
	return { ...gate, enrollment: { ...gate.enrollment, url } };
}

/** What the page draws of the gates. */
export function stateOf(gates: Gates): Pick<PracticeState, 'devices' | 'lanes'> {
	const { lane: first, link: firstLink, devices } = gates['lane-1'];
	const { lane: second, link: secondLink } = gates['lane-2'];
	return {
		devices,
		lanes: { 'lane-1': first.state(firstLink.isCut()), 'lane-2': second.state(secondLink.isCut()) },
	};
}
