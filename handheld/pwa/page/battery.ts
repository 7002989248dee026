import { type ReadonlySignal, signal } from '@preact/signals';

/** How full the battery is. */
export interface Battery {
	readonly percent: number;
	readonly charging: boolean;
}

/** The part of the Battery Status API that is used; only some browsers have it, and TypeScript's library does not. */
interface BatteryManager extends EventTarget {
	readonly level: number;
	readonly charging: boolean;
}

/** The battery of this device; undefined for ever in browsers that do not tell. */
export function watchBattery(browser: object): ReadonlySignal<Battery | undefined> {
	const battery = signal<Battery | undefined>(undefined);
	if (!('getBattery' in browser) || typeof browser.getBattery !== 'function') return battery;
	const follow = (manager: BatteryManager) => {
		const read = () => {
			battery.value = { percent: Math.round(manager.level * 100), charging: manager.charging };
		};
		read();
		manager.addEventListener('levelchange', read);
		manager.addEventListener('chargingchange', read);
	};
	// A page without permission for it is told by a rejection, which means the same as a browser without it.
	(browser.getBattery() as Promise<BatteryManager>).then(follow, () => {});
	return battery;
}
