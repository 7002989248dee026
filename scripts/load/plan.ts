import { createChance } from '../simulate/runtime/chance.ts';

/** What kind of device a ticket is shown to. */
export type Kind = 'handheld' | 'lane';

/** Between two scans of one device on average: staff are quicker than a turnstile that people walk through. */
export const scanEveryMs: Readonly<Record<Kind, number>> = { handheld: 2_000, lane: 6_000 };

/** How many of the scans show a ticket that was shown elsewhere before. */
const doubleShare = 0.05;

/** Such a ticket was shown among so many scans before: seconds ago, so that some are still on their way in. */
const doubleAmong = 200;

/** A ticket that is shown to a device. */
export interface Scan {
	/** After the beginning. */
	readonly atMs: number;
	/** Which device of its kind, from 0. */
	readonly kind: Kind;
	readonly at: number;
	/** The ticket's number within the event. */
	readonly idx: number;
}

/** How large a peak is. */
export interface PlanOptions {
	readonly handhelds: number;
	readonly lanes: number;
	readonly seconds: number;
	readonly seed: number;
}

/** Who shows which ticket where and when: the same for the same options, in the order of time. */
export function planScans({ handhelds, lanes, seconds, seed }: PlanOptions): readonly Scan[] {
	const chance = createChance(seed);
	const crowd = (kind: Kind, count: number) =>
		Array.from({ length: count }, (_, at) => {
			return timesOf(seconds * 1_000, scanEveryMs[kind], chance.of(`${kind}-${at}`).next).map((atMs) => ({
				kind,
				at,
				atMs,
			}));
		}).flat();
	const shown: Scan[] = [];
	let next = 0;
	for (const place of [...crowd('handheld', handhelds), ...crowd('lane', lanes)].sort((a, b) => a.atMs - b.atMs)) {
		const elsewhere = shown.slice(-doubleAmong).filter(({ kind, at }) => kind !== place.kind || at !== place.at);
		const isDouble = chance.happens(doubleShare) && elsewhere.length > 0;
		shown.push({ ...place, idx: isDouble ? chance.pick(elsewhere).idx : next });
		if (!isDouble) next += 1;
	}
	return shown;
}

/** One moment in each span of `everyMs`, as people come. */
function timesOf(untilMs: number, everyMs: number, next: () => number): readonly number[] {
	const spans = Math.floor(untilMs / everyMs);
	return Array.from({ length: spans }, (_, span) => Math.floor((span + next()) * everyMs));
}
