import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, generateKeyPair } from 'jose';
import type { EnrolledGate } from '../../gate-agent/enrollment.ts';
import { createHttpsClient } from '../../sync/node/https-client.ts';
import { enroll } from '../bench/enrolled-device.ts';
import {
	createEvent,
	type RunningProcess,
	runProgram,
	runServer,
	type ServerProcess,
	startServerProcess,
} from '../bench/server-process.ts';

/** A venue with a hub that grants: two processes, as an administrator starts them. */
export interface LoadVenue {
	readonly centre: ServerProcess;
	readonly hub: RunningProcess;
	/** Folder of the centre. */
	readonly dir: string;
	/** Enrolls a device at the hub. */
	enroll(name: string): Promise<EnrolledGate>;
	close(): Promise<void>;
}

const hubName = 'hub-1';
const grantsWithinMs = 60_000;
const lookMs = 100;

/** Starts a centre and a hub below `root`, and resolves once the hub grants. */
export async function openLoadVenue(root: string): Promise<LoadVenue> {
	const dir = join(root, 'centre');
	const centre = await startServerProcess(dir);
	let hub: RunningProcess | undefined;
	try {
		await createEvent(centre);
		hub = await startHub(centre, join(root, 'hub'));
		await centre.office('POST', '/authority', { server: hubName });
		await untilGranting(centre);
		return venueOf({ centre, hub, dir });
	} catch (error) {
		await hub?.close();
		await centre.close();
		throw error;
	}
}

function venueOf({ centre, hub, dir }: Pick<LoadVenue, 'centre' | 'hub' | 'dir'>): LoadVenue {
	const { url, fingerprint } = hub;
	const client = createHttpsClient({ url, fingerprint, trustedNowMs: Date.now });
	return {
		...{ centre, hub, dir },
		enroll: async (name) => {
			const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
			const key = await exportJWK(privateKey);
			const { server, venue, device, rootKey, timeKeys } = await enroll({ office: centre.office, client }, key, name);
			return { enrollment: { url, fingerprint, server, venue, device, rootKey, timeKeys }, key };
		},
		close: async () => {
			client.close();
			await hub.close();
			await centre.close();
		},
	};
}

async function startHub({ office, url, fingerprint }: ServerProcess, data: string): Promise<RunningProcess> {
	const { code } = await office('POST', '/codes', { name: hubName, hub: true });
	const where = ['--upstream', url, '--fingerprint', fingerprint, '--host', '127.0.0.1'];
	await runProgram(['server', 'enroll', '--data', data, ...where, '--code', String(code)], '');
	return runServer(['--role', 'hub', '--data', data]);
}

/** What the centre says of its hubs. */
interface Shown {
	readonly hubs: readonly { readonly report?: { readonly grants: boolean } }[];
}

async function untilGranting({ office }: ServerProcess): Promise<void> {
	const endMs = performance.now() + grantsWithinMs;
	while (performance.now() < endMs) {
		// The answer of this very call.
		const { hubs } = (await office('GET', '/authority')) as unknown as Shown;
		if (hubs.some(({ report }) => report?.grants === true)) return;
		await sleep(lookMs);
	}
	throw new Error(`the hub did not grant within ${grantsWithinMs} ms`);
}
