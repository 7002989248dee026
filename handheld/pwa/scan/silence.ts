/** How late a timer may fire for its silence to count. */
const lateMs = 20;
/** Late timers in a row after which the silence counts all the same: a page that busy reads nothing anyway. */
const lateMax = 20;

/** Tells when nothing more comes. */
export interface Silence {
	/** Something came: the silence begins anew. */
	heard(): void;
	/** Nothing is waited for. */
	clear(): void;
}

/**
 * Calls `onSilence` once nothing was heard for so long. A timer that fires late proves no silence: the page was busy, as
 * with the picture of a camera, and what came meanwhile stands in the queue behind the timer. Then it is waited again.
 */
export function createSilence(pauseMs: number, onSilence: () => void): Silence {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const wait = (lateCount: number) => {
		clearTimeout(timer);
		const dueMs = performance.now() + pauseMs;
		timer = setTimeout(() => {
			const isLate = performance.now() - dueMs > lateMs;
			if (isLate && lateCount < lateMax) wait(lateCount + 1);
			else onSilence();
		}, pauseMs);
	};
	return { heard: () => wait(0), clear: () => clearTimeout(timer) };
}
