import type { Signal } from '../core/device.ts';

/** What a scanner shows by itself. */
export type Verdict = 'good' | 'bad';

/** Whether a scan of this scanner waits for its verdict: a lane with two scanners tells both, and one must be silent. */
export interface ScanVerdict {
	/** A scan was delivered. */
	asked(): void;
	/** What to show for a signal, once per scan; undefined when nothing waits or the signal is no verdict. */
	take(signal: Signal): Verdict | undefined;
}

/** The verdict in a signal. `cue` is good too: an admitted visitor is told to walk on. */
export function verdictOf(signal: Signal): Verdict | undefined {
	if (signal === 'refused') return 'bad';
	return signal === 'granted' || signal === 'cue' ? 'good' : undefined;
}

/** Makes the memory of one scanner. */
export function scanVerdict(): ScanVerdict {
	let isAsked = false;
	return {
		asked() {
			isAsked = true;
		},
		take(signal) {
			const verdict = verdictOf(signal);
			if (!isAsked || verdict === undefined) return undefined;
			isAsked = false;
			return verdict;
		},
	};
}
