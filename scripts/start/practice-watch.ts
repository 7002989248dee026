import type { Logger } from '../../gate-agent/logger.ts';
import { type LaneId, type LaneRows, laneIds, type PracticeRows } from './page/practice-wire.ts';
import type { PracticeVenue } from './practice-venue.ts';

/** How often journals and the health of gates are looked at; locks and contacts are told at once. */
const watchMs = 250;

/** How often the server is asked. */
const askMs = 1_000;

/** The newest rows of each journal that a page begins with. */
const firstRowsMax = 100;

/** Looks at a venue as long as it runs, and tells what has changed. */
export interface PracticeWatch {
	/** What a new page is told first. */
	readonly first: () => readonly { readonly event: string; readonly data: unknown }[];
	readonly changed: () => void;
	readonly stop: () => void;
}

/** Gates and server have no subscription to their health and journals, so all are looked at. */
export function watchVenue(
	venue: PracticeVenue,
	send: (event: string, data: unknown) => void,
	log: Logger,
): PracticeWatch {
	const journals = laneIds.map((lane) => createJournalWatch(venue, lane));
	const sendNew = onceEach(send);
	const changed = () => {
		sendNew('state', venue.state());
		sendNew('server', venue.serverState());
	};
	const readRows = async () => {
		for (const journal of journals) {
			const added = await journal.read();
			if (added.rows.length > 0) send('rows', added);
		}
	};
	const endRows = repeat(watchMs, log, async () => {
		changed();
		await readRows();
	});
	const endAsking = repeat(askMs, log, async () => {
		await venue.look();
		changed();
	});
	return {
		first: () => [
			{ event: 'state', data: venue.state() },
			{ event: 'server', data: venue.serverState() },
			...journals.map((journal) => ({ event: 'rows', data: journal.recent() })),
		],
		changed,
		stop: () => {
			endRows();
			endAsking();
		},
	};
}

/** Sends what differs from what was sent before. */
function onceEach(send: (event: string, data: unknown) => void): (event: string, data: unknown) => void {
	const sent = new Map<string, string>();
	return (event, data) => {
		const text = JSON.stringify(data);
		if (sent.get(event) === text) return;
		sent.set(event, text);
		send(event, data);
	};
}

/** Does something again and again until it is ended; what fails is logged and tried again. */
function repeat(everyMs: number, log: Logger, work: () => Promise<void>): () => void {
	let ended = false;
	const round = async () => {
		try {
			await work();
		} catch (error) {
			if (!ended) log.warn({ event: 'practice_watch_failed', err: error });
		}
		if (!ended) timer = setTimeout(() => void round(), everyMs);
	};
	let timer = setTimeout(() => void round(), 0);
	return () => {
		ended = true;
		clearTimeout(timer);
	};
}

function createJournalWatch(venue: PracticeVenue, lane: LaneId) {
	let lastSeq = 0;
	let recent: PracticeRows = [];
	return {
		recent: (): LaneRows => ({ lane, rows: recent }),
		read: async (): Promise<LaneRows> => {
			const rows = await venue.rowsAfter(lane, lastSeq);
			lastSeq = rows.at(-1)?.seq ?? lastSeq;
			recent = [...recent, ...rows].slice(-firstRowsMax);
			return { lane, rows };
		},
	};
}
