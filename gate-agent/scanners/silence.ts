/** Notices that a line has fallen silent. */
export interface Silence {
	/** Something came: the silence begins anew. */
	touch(): void;
	/** Nothing more is awaited. */
	clear(): void;
}

/** A timer later than this was held up by a busy process: what was sent may wait to be read, and gets as long to come, ms. */
const latenessMs = 20;

/** Calls `onSilence` once nothing came for `ms` after a `touch`. `nowMs` is monotonic. */
export function createSilence(ms: number, nowMs: () => number, onSilence: () => void): Silence {
	let timer: NodeJS.Timeout | undefined;
	const wait = (waitMs: number) => {
		clearTimeout(timer);
		const dueMs = nowMs() + waitMs;
		timer = setTimeout(() => {
			if (nowMs() - dueMs > latenessMs) wait(latenessMs);
			else onSilence();
		}, waitMs);
	};
	return { touch: () => wait(ms), clear: () => clearTimeout(timer) };
}
