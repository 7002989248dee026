import type { WorldTicket } from './tickets.ts';

/**
 * One visit: somebody stands before a lane with a ticket. All of it is seen from outside, at the far end of the wires;
 * no program is asked what it did.
 */
export interface Visit {
	readonly id: number;
	readonly ticket: WorldTicket;
	readonly device: string;
	readonly lane: string;
	readonly atMs: number;
	/** How many stand there. */
	readonly people: number;
	/** Each time the gate was opened while they stood there. */
	readonly pulses: Pulse[];
	/** Each person who went through. */
	readonly passages: Passage[];
	/** The gate's program died while they stood there, or before their passage was settled: it may assume what it did not see. */
	interrupted: boolean;
	/** The device's lists said `revoked` when the code was presented, and so they did when it opened. */
	knownRevoked: boolean;
	/** What the screen said at last. */
	said: string;
	endedMs: number | undefined;
}

/** The relay has opened the gate for one person. */
export interface Pulse {
	readonly atMs: number;
}

/** A person went through. */
export interface Passage {
	readonly atMs: number;
	/** After the lane had given up waiting. */
	readonly late: boolean;
	/**
	 * No journal can have a word for it: the lane had said that the use is gone, so there is none left that this person
	 * could take, or it had given the use back and then lost its power.
	 */
	readonly unnoted: boolean;
	/** The newest epoch of the authority that the device had heard of when it last heard an answer to a claim. */
	readonly epoch: number;
}

/** What really happened in a world. */
export interface Truth {
	readonly visits: readonly Visit[];
	begin(visit: Omit<Visit, 'id' | 'pulses' | 'passages' | 'interrupted' | 'knownRevoked' | 'said' | 'endedMs'>): Visit;
}

/** Makes an empty truth. */
export function createTruth(): Truth {
	const visits: Visit[] = [];
	return {
		visits,
		begin: (begun) => {
			const visit: Visit = {
				...begun,
				id: visits.length + 1,
				pulses: [],
				passages: [],
				interrupted: false,
				knownRevoked: false,
				said: '',
				endedMs: undefined,
			};
			visits.push(visit);
			return visit;
		},
	};
}
