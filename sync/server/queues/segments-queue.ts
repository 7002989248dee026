import type { SegmentOutcome, Store, VenueSegment } from '../store.ts';
import { createGatheringQueue } from './gathering-queue.ts';

/** Rows of one transaction. A single segment is never split. */
export const segmentRowsPerCommit = 4_000;

/** Rows that may wait. */
export const segmentRowsWaitingMax = 40_000;

/** Merges the journal rows of many devices and venues into few transactions. */
export interface SegmentsQueue {
	/** Keeps one segment. Rejects with `server_busy`. */
	ingest(segment: VenueSegment): Promise<SegmentOutcome>;
	/** Rows that wait now. */
	waiting(): number;
	/** @see GatheringQueue.drain */
	drain(): Promise<void>;
}

/** Makes the queue in front of a store. `wake` is told the venues whose logs have grown. */
export function createSegmentsQueue(store: Pick<Store, 'ingest'>, wake: (venue: string) => void): SegmentsQueue {
	const queue = createGatheringQueue<VenueSegment, SegmentOutcome>({
		write: async (segments) => {
			const outcomes = await store.ingest(segments);
			for (const venue of new Set(segments.map((segment) => segment.venue))) wake(venue);
			return outcomes;
		},
		weightOf: ({ rows }) => rows.length,
		weightMax: segmentRowsPerCommit,
		waitingMax: segmentRowsWaitingMax,
	});
	return { ingest: queue.add, waiting: queue.waiting, drain: queue.drain };
}
