import type { Signal } from '../core/device.ts';

/** Whether a scan of this scanner waits for its verdict: a lane with two scanners tells both, and one must be silent. */
export interface ScanVerdict {
	/** A scan was delivered. */
	asked(): void;
	/** What to show for a signal, once per scan; undefined when nothing waits or the signal is no verdict. */
	take(signal: Signal): 'good' | 'bad' | undefined;
}

/** Makes the memory of one scanner. `cue` is good too: an admitted visitor is told to walk on. */
export function scanVerdict(): ScanVerdict {
	let isAsked = false;
	return {
		asked() {
			isAsked = true;
		},
		take(signal) {
			const verdict = signal === 'refused' ? 'bad' : signal === 'granted' || signal === 'cue' ? 'good' : undefined;
			if (!isAsked || verdict === undefined) return undefined;
			isAsked = false;
			return verdict;
		},
	};
}
