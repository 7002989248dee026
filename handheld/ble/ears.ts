import { atMost } from './in-time.ts';
import type { Heard, Radio } from './radio.ts';

/** The listening of one radio, shared by all who look for something. */
export interface Ears {
	/** Tells what is heard until the function it gives is called. */
	hear(onHeard: (heard: Heard) => void): () => void;
	/** Stops listening for the time of `work`: an adapter does not listen and connect at once. */
	closedFor<T>(work: () => Promise<T>): Promise<T>;
}

/** How long a radio may take to begin or to end listening. */
const switchMs = 2_000;

/** Makes the ears of a radio: it listens only while somebody looks for something. */
export function createEars(radio: Radio): Ears {
	const listeners = new Set<(heard: Heard) => void>();
	let pauses = 0;
	let isOn = false;
	let switching: Promise<void> = Promise.resolve();
	const tell = (heard: Heard) => {
		for (const listener of [...listeners]) listener(heard);
	};
	const adjust = () => {
		switching = switching.then(async () => {
			const isWanted = listeners.size > 0 && pauses === 0;
			if (isWanted === isOn) return;
			isOn = isWanted;
			// A radio that did not obey is told again at the next change.
			await atMost(isWanted ? radio.listen(tell) : radio.silence(), switchMs);
		});
		return switching;
	};
	return {
		hear: (onHeard) => {
			listeners.add(onHeard);
			void adjust();
			return () => {
				listeners.delete(onHeard);
				void adjust();
			};
		},
		closedFor: async (work) => {
			pauses += 1;
			await adjust();
			try {
				return await work();
			} finally {
				pauses -= 1;
				void adjust();
			}
		},
	};
}
