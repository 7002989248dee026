import type { Handheld } from '../engine/handheld.ts';
import type { ScanSource } from '../scan/scan-source.ts';
import { watchBattery } from './battery.ts';
import type { DeskParts } from './desk.ts';
import { watchUpdates } from './page-update.ts';
import { browserSignals } from './signals.ts';

/** What a browser gives the page. `#enroll=…` is taken out of the address at once: whoever sees the screen later must not. */
export function browserParts(handheld: Handheld, sources: readonly ScanSource[]): DeskParts {
	const enrollText = location.hash.startsWith('#enroll=') ? location.href : undefined;
	if (enrollText !== undefined) history.replaceState(null, '', location.pathname + location.search);
	return {
		handheld,
		sources,
		signals: browserSignals(),
		shelf: localStorage,
		languages: navigator.languages,
		enrollText,
		nowMs: () => Date.now(),
		monotonicMs: () => performance.now(),
		battery: watchBattery(navigator),
		update: watchUpdates('./sw.js'),
	};
}
