import { type Cursor, formatCursor } from '../../protocol/cursor.ts';
import { type FeedEntry, type FeedPage, feedEntriesMax } from '../../protocol/feed.ts';
import type { Store } from '../store.ts';

/** How often a venue that is listened to is looked at for what other processes have committed. */
export const pollMs = 1_000;

/**
 * How long the reader waits after a page for the next one, for each device that hears it and at most. A lone change goes out at
 * once; in a busy minute the changes of this time are one page, because each page costs every device of the venue a message.
 */
const pace = { perDeviceMs: 0.4, mostMs: 50 } as const;

/** Listeners of one process: devices of its venues, and their spares. */
export const listenersMax = 10_000;

/** A page and its JSON. */
export interface HeardPage {
	readonly page: FeedPage;
	readonly json: string;
	/** The page as a message of the stream. Made once for all who hear it. */
	readonly message: () => Uint8Array;
}

/** Who hears a feed. */
export interface Listener {
	/** Takes the next page. Resolves once there is room for another; rejects where nobody hears any more. */
	hear(page: HeardPage): Promise<void> | void;
	/** The cursor is of another epoch: nothing more comes, a snapshot is needed. */
	gone(): void;
	/** The store failed, or the server stops: nothing more comes. */
	end(): void;
}

/** Tells devices what has changed, as it is committed. */
export interface FeedHub {
	/** Something of this venue was committed by this process. */
	wake(venue: string): void;
	/** Hears everything after a cursor, from now on. False where too many listen. The function ends it. */
	listen(venue: string, since: Cursor, listener: Listener): (() => void) | false;
	/** Is told whenever something may have been committed, also by another process. The function ends it. */
	watch(venue: string, heard: () => void): () => void;
	listeners(): number;
	/** Whether it was closed: nothing more is heard. */
	closed(): boolean;
	close(): void;
}

interface Ear {
	readonly listener: Listener;
	cursor: Cursor;
	/** Whether it hears what the venue's one reader reads; until then it reads for itself what it has missed. */
	live: boolean;
	ended: boolean;
}

interface Venue {
	readonly id: string;
	readonly ears: Set<Ear>;
	cursor: Cursor | undefined;
	reading: boolean;
	again: boolean;
}

/**
 * Makes a hub. Each venue has one reader: at a commit it reads the new entries once, whatever the number of devices,
 * and every device at the head gets the same text. A device that is behind reads by itself until it is there.
 */
export function createFeedHub(store: Pick<Store, 'feed'>): FeedHub {
	const venues = new Map<string, Venue>();
	const watchers = new Set<{ readonly venue: string; readonly heard: () => void }>();
	let count = 0;
	let closed = false;
	const poll = setInterval(() => {
		for (const venue of venues.values()) void advance(store, venue);
		for (const { heard } of watchers) heard();
	}, pollMs);
	poll.unref();
	return {
		wake: (id) => {
			const venue = venues.get(id);
			if (venue) void advance(store, venue);
			for (const watcher of watchers) if (watcher.venue === id) watcher.heard();
		},
		watch: (venue, heard) => {
			const watcher = { venue, heard };
			watchers.add(watcher);
			return () => void watchers.delete(watcher);
		},
		listen: (id, since, listener) => {
			if (count >= listenersMax) return false;
			const venue = venues.get(id) ?? { id, ears: new Set(), cursor: undefined, reading: false, again: false };
			const ear: Ear = { listener, cursor: since, live: false, ended: false };
			venues.set(id, venue);
			venue.ears.add(ear);
			count += 1;
			void catchUp(store, venue, ear);
			return () => {
				ear.ended = true;
				if (!venue.ears.delete(ear)) return;
				count -= 1;
				if (venue.ears.size === 0) venues.delete(id);
			};
		},
		listeners: () => count,
		closed: () => closed,
		close: () => {
			closed = true;
			clearInterval(poll);
			for (const { heard } of watchers) heard();
			for (const ear of [...venues.values()].flatMap(({ ears }) => [...ears])) finish(ear, 'end');
		},
	};
}

/** Reads what is new of a venue and tells every ear that is at the head. */
async function advance(store: Pick<Store, 'feed'>, venue: Venue): Promise<void> {
	venue.again = true;
	if (venue.reading) return;
	venue.reading = true;
	try {
		while (venue.again) {
			venue.again = false;
			// Nobody is at the head yet; the first who gets there says where the reader begins.
			if (venue.cursor === undefined) return;
			const page = await store.feed(venue.id, venue.cursor, feedEntriesMax);
			if (page === undefined) {
				venue.cursor = undefined;
				for (const ear of venue.ears) if (ear.live) finish(ear, 'gone');
			} else if (page.entries.length > 0) {
				venue.cursor = cursorOf(page.next);
				tell(venue, page);
				const pauseMs = Math.min(pace.mostMs, venue.ears.size * pace.perDeviceMs);
				await new Promise((resolve) => setTimeout(resolve, pauseMs));
				venue.again = true;
			}
		}
	} catch {
		// Whoever asked the store for something hears of the failure; devices connect anew and read from their cursor.
		venue.cursor = undefined;
		for (const ear of venue.ears) finish(ear, 'end');
	} finally {
		venue.reading = false;
	}
}

function tell(venue: Venue, page: FeedPage): void {
	const whole = heardPage(page);
	const { entries } = page;
	for (const ear of venue.ears) {
		if (!ear.live) continue;
		const isNews = (entry: FeedEntry) => entry.n > ear.cursor[entry.log];
		const fits = entries.every(isNews);
		const news = fits ? page : { entries: entries.filter(isNews), next: page.next };
		ear.cursor = page.next;
		if (news.entries.length > 0) hear(ear, fits ? whole : heardPage(news));
	}
}

function hear(ear: Ear, page: HeardPage): void {
	Promise.resolve(ear.listener.hear(page)).catch(() => finish(ear, 'end'));
}

/** Reads for one ear until nothing is left that the venue's reader has read already. */
async function catchUp(store: Pick<Store, 'feed'>, venue: Venue, ear: Ear): Promise<void> {
	try {
		while (!ear.ended) {
			const page = await store.feed(venue.id, ear.cursor, feedEntriesMax);
			if (ear.ended) return;
			if (page === undefined) return finish(ear, 'gone');
			ear.cursor = cursorOf(page.next);
			if (page.entries.length > 0) await ear.listener.hear(heardPage(page));
			else if (reaches(ear.cursor, venue.cursor)) {
				ear.live = true;
				venue.cursor ??= ear.cursor;
				void advance(store, venue);
				return;
			}
		}
	} catch {
		finish(ear, 'end');
	}
}

function reaches(cursor: Cursor, head: Cursor | undefined): boolean {
	if (head === undefined) return true;
	return cursor.epoch === head.epoch && cursor.control >= head.control && cursor.admissions >= head.admissions;
}

function finish(ear: Ear, how: 'gone' | 'end'): void {
	if (ear.ended) return;
	ear.ended = true;
	ear.listener[how]();
}

/** A store's cursor may carry more than a cursor has. */
function cursorOf({ epoch, control, admissions }: Cursor): Cursor {
	return { epoch, control, admissions };
}

/** A page on its way. The cursor after it is its id, so that `Last-Event-ID` says where to go on. */
export function heardPage(page: FeedPage): HeardPage {
	const json = JSON.stringify(page);
	let message: Uint8Array | undefined;
	return {
		page,
		json,
		message: () => {
			// JSON has no raw line breaks, so one `data:` line is enough.
			message ??= Buffer.from(`id: ${formatCursor(page.next)}\nevent: page\ndata: ${json}\n\n`);
			return message;
		},
	};
}
