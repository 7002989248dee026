import { createHash } from 'node:crypto';

/** One thing that happened. */
export interface StoryLine {
	readonly atMs: number;
	/** Whom it happened to: `gate-1`, `lane-2`, `centre`, `office`, `world`. */
	readonly who: string;
	readonly what: string;
}

/** What happened in a world, in order, in words. */
export interface Story {
	tell(who: string, what: string): void;
	readonly lines: readonly StoryLine[];
	/** SHA-256 over all of it, hexadecimal: equal stories are equal worlds. */
	hash(): string;
}

/** Lines of one story; more are a world that runs in a circle. */
const linesMax = 200_000;

/** Begins a story. */
export function createStory(nowMs: () => number): Story {
	const lines: StoryLine[] = [];
	return {
		lines,
		tell: (who, what) => {
			if (lines.length >= linesMax) throw new Error('assertion failed: the story does not end');
			lines.push({ atMs: nowMs(), who, what });
		},
		hash: () => createHash('sha256').update(lines.map(formatLine).join('\n')).digest('hex'),
	};
}

/** `   12.345  gate-1    the power fails`. */
export function formatLine({ atMs, who, what }: StoryLine): string {
	return `${(atMs / 1000).toFixed(3).padStart(9)}  ${who.padEnd(14)}  ${what}`;
}
