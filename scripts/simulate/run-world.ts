import { judgeAtRest } from './invariants/at-rest.ts';
import { createChance } from './runtime/chance.ts';
import type { VirtualRuntime } from './runtime/virtual-runtime.ts';
import { createVirtualTime, type VirtualTime } from './runtime/virtual-time.ts';
import { beginFaults, startGate } from './world/faults.ts';
import { comeToRest, heal } from './world/heal.ts';
import { beginOffice } from './world/office.ts';
import { formatLine } from './world/story.ts';
import type { Violation } from './world/watch.ts';
import { buildWorld, startMs, type World } from './world/world.ts';

/** What became of a world. */
export interface WorldResult {
	readonly seed: number;
	readonly violations: readonly Violation[];
	/** SHA-256 of its story. */
	readonly storyHash: string;
	/** What happened in it. */
	readonly figures: WorldFigures;
	/** The story, line by line; only where it was asked for, or where something was found. */
	readonly story?: readonly string[];
}

/** How much happened in a world. */
export interface WorldFigures {
	readonly virtualMs: number;
	readonly visits: number;
	readonly passages: number;
	readonly doubles: number;
	readonly crashes: number;
}

/** How often the authority's disk is looked at while a world is open. */
const lookMs = 3_000;

/** Runs one world from its beginning until it is at rest, and judges it. */
export async function runWorld(
	seed: number,
	{ runtime, wantsStory }: { readonly runtime: VirtualRuntime; readonly wantsStory: boolean },
): Promise<WorldResult> {
	const time = createVirtualTime(runtime.turn);
	runtime.enter({ time, chance: createChance(seed).of('runtime'), startMs });
	const world = await through(time, buildWorld(seed, time));
	const { story, watch } = world;
	const onBug = (error: unknown) =>
		watch.found('bug', error instanceof Error ? (error.stack ?? error.message) : String(error));
	process.on('unhandledRejection', onBug);
	process.on('uncaughtException', onBug);
	try {
		await play(world);
		if (!watch.violations.some(({ invariant }) => invariant === 'bug')) await judgeAtRest(world);
	} finally {
		process.off('unhandledRejection', onBug);
		process.off('uncaughtException', onBug);
	}
	const { visits } = world.truth;
	return {
		seed,
		violations: watch.violations,
		storyHash: story.hash(),
		figures: {
			virtualMs: Math.round(time.nowMs()),
			visits: visits.length,
			passages: visits.reduce((sum, { passages }) => sum + passages.length, 0),
			doubles: world.venue.current().disk.read("SELECT 1 FROM cases WHERE kind = 'double_entry'").length,
			crashes: story.lines.filter(({ what }) => what.startsWith('the power fails')).length,
		},
		...((wantsStory || watch.violations.length > 0) && { story: story.lines.map(formatLine) }),
	};
}

async function play(world: World): Promise<void> {
	const { time, plan, places, audit } = world;
	world.isOpen = true;
	const opening = world.chance.of('opening');
	time.outside(() => {
		for (const place of places) time.after(opening.between(0, 1_500), () => startGate(world, place));
		for (const { gate } of places) for (const site of gate.sites) site.open();
	});
	beginFaults(world);
	beginOffice(world);
	const endMs = time.nowMs() + plan.chaosMs;
	while (time.nowMs() < endMs) {
		await time.runUntil(Math.min(endMs, time.nowMs() + lookMs));
		audit.look();
	}
	await through(time, heal(world));
	await comeToRest(world);
}

/** Lets time pass until some work of the world is done. */
async function through<T>(time: VirtualTime, work: Promise<T>): Promise<T> {
	let isDone = false;
	const mark = () => {
		isDone = true;
	};
	work.then(mark, mark);
	while (!isDone) await time.runUntil(time.nowMs() + 1);
	return work;
}
