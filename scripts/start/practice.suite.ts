import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, vi } from 'vitest';
import { type LaneAction, type LaneId, type LaneState, laneIds, type PracticeRows } from './page/practice-wire.ts';
import type { OpenPracticeDevices } from './practice-devices.ts';
import { type PracticeServer, startPracticeServer } from './practice-server.ts';
import { type PracticeVenue, startPracticeVenue, type VenueOptions } from './practice-venue.ts';

const log = pino({ level: 'silent' });

/** A lane of a practice as a person stands before it. */
export interface LaneUnderTest {
	readonly id: LaneId;
	state(): LaneState;
	rowsAfter(seq: number): Promise<PracticeRows>;
	act(action: WithoutLane<LaneAction>): Promise<void>;
}

type WithoutLane<Action> = Action extends LaneAction ? Omit<Action, 'lane'> : never;

/** A practice and its page, on a folder of their own. */
export interface Practice {
	readonly dir: string;
	readonly venue: PracticeVenue;
	/** The first lane. */
	readonly lane: LaneUnderTest;
	readonly server: PracticeServer;
	/** Ends it and keeps its folder. */
	end(): Promise<void>;
	/** Ends it and removes its folder. */
	close(): Promise<void>;
}

/** Starts a practice with its page and waits for its devices. Pass `dir` to go on in a folder. */
export async function startPractice(
	openDevices: OpenPracticeDevices,
	{ dir: known, ...handheld }: Partial<Pick<VenueOptions, 'dir' | 'builtHandheld' | 'doorPort'>> = {},
): Promise<Practice> {
	const dir = known ?? (await mkdtemp(join(tmpdir(), 'stileward-start-')));
	let server: PracticeServer | undefined;
	const onChange = () => server?.changed();
	// However busy the machine is: what a test calls online asks the server.
	const options = { dir, timeZone: 'Asia/Shanghai', claimMs: 3_000, log, onChange, openDevices, ...handheld };
	const venue = await startPracticeVenue(options);
	server = await startPracticeServer({ port: 0, venue, log });
	const { close } = server;
	const isReady = () => laneIds.every((id) => venue.state().lanes[id].ready && venue.state().lanes[id].link.online);
	await vi.waitFor(() => expect(isReady()).toBe(true), { timeout: 15_000 });
	const end = async () => {
		await close();
		await venue.close();
	};
	return {
		dir,
		venue,
		lane: laneOf(venue, 'lane-1'),
		server,
		end,
		close: async () => {
			await end();
			await rm(dir, { recursive: true, force: true });
		},
	};
}

/** One lane of a practice. */
export function laneOf(venue: PracticeVenue, lane: LaneId): LaneUnderTest {
	return {
		id: lane,
		state: () => venue.state().lanes[lane],
		rowsAfter: (seq) => venue.rowsAfter(lane, seq),
		// An action of a lane without its lane is one with it again.
		act: (action) => venue.act({ ...action, lane } as LaneAction),
	};
}
