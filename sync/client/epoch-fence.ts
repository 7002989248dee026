/** The newest epoch that this device has seen. A device never asks, or believes, an older one again. */
export interface EpochFence {
	/** 0 before the first one. */
	newest(): number;
	/** Notes an epoch that an answer carries. `older` answers count for nothing. */
	see(epoch: number): 'older' | 'same' | 'newer';
}

/** Makes a fence. `onNewer` is told of each newer epoch: the feed then needs a snapshot, and the outbox a new push. */
export function createEpochFence(initial: number, onNewer: (epoch: number) => void): EpochFence {
	let newest = initial;
	return {
		newest: () => newest,
		see: (epoch) => {
			if (epoch === newest) return 'same';
			if (epoch < newest) return 'older';
			const isFirst = newest === 0;
			newest = epoch;
			if (!isFirst) onNewer(epoch);
			return 'newer';
		},
	};
}
