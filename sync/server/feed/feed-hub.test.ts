import { afterEach, describe, expect, it } from 'vitest';
import type { Cursor } from '../../protocol/cursor.ts';
import type { FeedEntry, FeedPage } from '../../protocol/feed.ts';
import { createFeedHub, type FeedHub, type HeardPage } from './feed-hub.ts';

const start: Cursor = { epoch: 1, control: 0, admissions: 0 };

/** A control log in memory that counts how often it is read. */
function logOf(count: number) {
	let epoch = 1;
	let reads = 0;
	const entries: FeedEntry[] = [];
	const add = () => {
		entries.push({
			log: 'control',
			n: entries.length + 1,
			change: { kind: 'revoked', evt: 'lantern-2026', idx: [entries.length] },
		});
	};
	for (let each = 0; each < count; each += 1) add();
	return {
		add,
		reads: () => reads,
		newEpoch: () => {
			epoch += 1;
		},
		feed: async (_: string, since: Cursor, limit: number): Promise<FeedPage | undefined> => {
			reads += 1;
			await new Promise((resolve) => setImmediate(resolve));
			if (since.epoch !== epoch) return undefined;
			const page = entries.slice(since.control, Math.min(since.control + limit, since.control + 2));
			return { entries: page, next: { epoch, control: since.control + page.length, admissions: 0 } };
		},
	};
}

function ear() {
	const heard: number[] = [];
	const ends: string[] = [];
	return {
		heard,
		ends,
		hear: ({ page, json }: HeardPage) => {
			expect(JSON.parse(json)).toEqual(page);
			heard.push(...page.entries.map(({ n }) => n));
		},
		gone: () => void ends.push('gone'),
		end: () => void ends.push('end'),
	};
}

const upTo = (n: number) => Array.from({ length: n }, (_, at) => at + 1);
let hub: FeedHub | undefined;
afterEach(() => hub?.close());

describe('the feed', () => {
	it('tells everything after a cursor once and in order, though commits go on', async () => {
		const log = logOf(7);
		hub = createFeedHub(log);
		const late = ear();
		hub.listen('harbor', { ...start, control: 3 }, late);
		const early = ear();
		hub.listen('harbor', start, early);
		for (let each = 0; each < 50; each += 1) {
			log.add();
			hub.wake('harbor');
			if (each % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
		}
		await expect.poll(() => early.heard).toEqual(upTo(57));
		expect(late.heard).toEqual(upTo(57).slice(3));
	});

	it('reads a commit once for all who are at the head', async () => {
		const log = logOf(0);
		hub = createFeedHub(log);
		const ears = Array.from({ length: 100 }, ear);
		for (const each of ears) hub.listen('harbor', start, each);
		const readsOfOneCommit = async () => {
			const before = log.reads();
			const heard = (ears[0]?.heard.length ?? 0) + 1;
			log.add();
			hub?.wake('harbor');
			await expect.poll(() => ears.every((each) => each.heard.length === heard)).toBe(true);
			return log.reads() - before;
		};
		await expect.poll(readsOfOneCommit).toBeLessThan(10);
	});

	it('misses nothing that is committed while the first device begins to listen', async () => {
		const log = logOf(2);
		hub = createFeedHub(log);
		const one = ear();
		hub.listen('harbor', { ...start, control: 2 }, one);
		hub.wake('harbor');
		await new Promise((resolve) => setImmediate(resolve));
		log.add();
		hub.wake('harbor');
		await expect.poll(() => one.heard).toEqual([3]);
	});

	it('hears what another process commits', async () => {
		const log = logOf(0);
		hub = createFeedHub(log);
		const one = ear();
		hub.listen('harbor', start, one);
		log.add();
		await expect.poll(() => one.heard, { timeout: 5_000 }).toEqual([1]);
	});

	it('sends a device of another epoch to the snapshot, at once or when the epoch begins', async () => {
		const log = logOf(1);
		hub = createFeedHub(log);
		const old = ear();
		hub.listen('harbor', { ...start, epoch: 7 }, old);
		await expect.poll(() => old.ends).toEqual(['gone']);
		const live = ear();
		hub.listen('harbor', start, live);
		await expect.poll(() => live.heard).toEqual([1]);
		log.newEpoch();
		hub.wake('harbor');
		await expect.poll(() => live.ends, { timeout: 5_000 }).toEqual(['gone']);
	});

	it('forgets who has gone, and ends everybody when it closes', async () => {
		const log = logOf(1);
		hub = createFeedHub(log);
		const [gone, stays] = [ear(), ear()];
		const leave = hub.listen('harbor', start, gone);
		hub.listen('harbor', start, stays);
		if (leave) leave();
		expect(hub.listeners()).toBe(1);
		await expect.poll(() => stays.heard).toEqual([1]);
		hub.close();
		expect(stays.ends).toEqual(['end']);
		expect(gone).toMatchObject({ heard: [], ends: [] });
	});
});
