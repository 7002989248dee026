import { setTimeout as sleep } from 'node:timers/promises';
import { ticketsOf } from '../bench/joined-gate.ts';
import { type Books, readBooks } from './books.ts';
import { type Crowd, type CrowdResult, type Member, startCrowd } from './crowd.ts';
import { judge, type Problem } from './judge.ts';
import { type LoadVenue, openLoadVenue } from './load-venue.ts';
import { type PlanOptions, planScans, type Scan } from './plan.ts';

/** A peak that is over. */
export interface Peak {
	readonly scans: readonly Scan[];
	readonly crowds: readonly CrowdResult[];
	/** From the first scan to the last verdict. */
	readonly seconds: number;
	/** From the last verdict until the centre had every row. */
	readonly settledMs: number;
	/** CPU seconds by process, from the first scan until the hub had every row. */
	readonly cpuSeconds: Readonly<Record<string, number>>;
	/** CPU of the later half of the time over that of the earlier one, by process: 1 where work does not grow with the books. */
	readonly cpuGrowth: Readonly<Record<string, number>>;
	/** What went wrong. */
	readonly problems: readonly Problem[];
}

/** Where a peak takes place, and who is told how far it is. */
export interface PeakOptions extends PlanOptions {
	/** A folder on the disk that is to bear it, empty. */
	readonly dir: string;
	readonly say: (line: string) => void;
}

/** How long the hub may take to pass everything on, and how often the centre's disk is read. */
const passedOnWithinMs = 60_000;
const lookMs = 250;

/** Opens a venue, lets a peak come over it, and judges what came of it. */
export async function runPeak(options: PeakOptions): Promise<Peak> {
	const { dir, say, seconds } = options;
	const scans = planScans(options);
	say('starting a centre and a hub');
	const venue = await openLoadVenue(dir);
	const crowds: Crowd[] = [];
	try {
		const tickets = 1 + Math.max(...scans.map(({ idx }) => idx));
		say(`signing ${tickets} tickets`);
		const texts = await ticketsOf(venue.dir, tickets);
		for (const [kind, own] of Map.groupBy(scans, (scan) => scan.kind)) {
			const members = await membersOf(venue, own, texts);
			say(`${members.length} ${kind}s join`);
			crowds.push(await startCrowd({ kind, members }));
		}
		say(`${scans.length} scans in ${seconds} s`);
		return await press({ venue, scans, crowds, seconds });
	} finally {
		for (const crowd of crowds) crowd.stop();
		await venue.close();
	}
}

interface Press {
	readonly venue: LoadVenue;
	readonly scans: readonly Scan[];
	readonly crowds: readonly Crowd[];
	readonly seconds: number;
}

async function press({ venue, scans, crowds, seconds }: Press): Promise<Peak> {
	const cpu = watchCpu(
		[
			{ name: 'hub', of: venue.hub },
			{ name: 'centre', of: venue.centre },
			...crowds.map((crowd) => ({ name: `${crowd.kind}s`, of: crowd })),
		],
		seconds,
	);
	const startedMs = performance.now();
	await Promise.all(crowds.map((crowd) => crowd.run()));
	const endedMs = performance.now();
	const cpuGrowth = cpu.growth();
	const results = await Promise.all(crowds.map((crowd) => crowd.result()));
	const cpuSeconds = cpu.seconds();
	const books = await booksOf(venue, results);
	return {
		scans,
		crowds: results,
		seconds: (endedMs - startedMs) / 1_000,
		settledMs: performance.now() - endedMs,
		cpuSeconds,
		cpuGrowth,
		problems: judge({ scans, crowds: results, books }),
	};
}

interface Watched {
	readonly name: string;
	readonly of: { cpuSeconds(): number };
}

/** Watches processes from now on, with a look after half of `seconds`. */
function watchCpu(processes: readonly Watched[], seconds: number) {
	const look = () => processes.map(({ of }) => of.cpuSeconds());
	const begin = look();
	let half = begin;
	setTimeout(() => {
		half = look();
	}, seconds * 500).unref();
	const named = (value: (now: number, at: number) => number): Readonly<Record<string, number>> => {
		const now = look();
		return Object.fromEntries(processes.map(({ name }, at) => [name, value(now[at] ?? 0, at)]));
	};
	const until = (end: number, from: readonly number[], at: number) => end - (from[at] ?? 0);
	return {
		seconds: () => named((now, at) => until(now, begin, at)),
		growth: () => named((now, at) => until(now, half, at) / until(half[at] ?? 0, begin, at)),
	};
}

/** The centre's books once it has every row, or after a long time. */
async function booksOf({ dir }: LoadVenue, crowds: readonly CrowdResult[]): Promise<Books> {
	const journals = crowds.flatMap((crowd) => crowd.journals);
	const endMs = performance.now() + passedOnWithinMs;
	for (;;) {
		const books = readBooks(dir);
		const isWhole = journals.every(({ device, rows }) => books.through.get(device) === rows);
		const isHeld = books.oddRights.some(({ held }) => held > 0);
		if ((isWhole && !isHeld) || performance.now() > endMs) return books;
		await sleep(lookMs);
	}
}

/** Enrolls the devices of these scans, each with what is shown to it. */
async function membersOf(venue: LoadVenue, scans: readonly Scan[], texts: readonly string[]): Promise<Member[]> {
	const members: Member[] = [];
	for (const [name, own] of Map.groupBy(scans, ({ kind, at }) => `${kind}-${at + 1}`)) {
		const shown = own.map(({ atMs, idx }) => ({ atMs, idx, text: texts[idx] ?? '' }));
		members.push({ name, gate: await venue.enroll(name), scans: shown });
	}
	return members;
}
