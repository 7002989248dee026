import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, vi } from 'vitest';
import type { OpenPracticeDevices } from './practice-devices.ts';
import { type PracticeLane, startPracticeLane } from './practice-lane.ts';
import { type PracticeServer, startPracticeServer } from './practice-server.ts';

const log = pino({ level: 'silent' });

/** A practice lane and its page, on a folder of their own. */
export interface Practice {
	readonly lane: PracticeLane;
	readonly server: PracticeServer;
	close(): Promise<void>;
}

/** Starts a practice lane with its page and waits for its devices; `close` removes its folder. */
export async function startPractice(openDevices: OpenPracticeDevices): Promise<Practice> {
	const dir = await mkdtemp(join(tmpdir(), 'stileward-start-'));
	let server: PracticeServer | undefined;
	const changed = () => server?.changed();
	const lane = await startPracticeLane({ dir, timeZone: 'Asia/Shanghai', log, onChange: changed, openDevices });
	server = await startPracticeServer({ port: 0, lane, log });
	const { close } = server;
	await vi.waitFor(() => expect(lane.state().ready).toBe(true), { timeout: 10_000 });
	return {
		lane,
		server,
		close: async () => {
			await close();
			await lane.close();
			await rm(dir, { recursive: true, force: true });
		},
	};
}
