import { describe, expect, it } from 'vitest';
import { createGatheringQueue, type GatheringOptions } from './gathering-queue.ts';

/** A store of numbers whose writes end when told. */
function slowStore() {
	const batches: (readonly number[])[] = [];
	const ends: (() => void)[] = [];
	return {
		batches,
		endNext: () => ends.shift()?.(),
		write: async (batch: readonly number[]) => {
			batches.push(batch);
			await new Promise<void>((resolve) => ends.push(resolve));
			return batch.map((entry) => `${entry}`);
		},
	};
}

function queueOf(over: Partial<GatheringOptions<number, string>>) {
	return createGatheringQueue<number, string>({
		write: async (batch) => batch.map(String),
		weightOf: () => 1,
		weightMax: 4,
		waitingMax: 8,
		...over,
	});
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a gathering queue', () => {
	it('writes what arrives in one turn together, and what arrives meanwhile in the next batch', async () => {
		const store = slowStore();
		const queue = queueOf({ write: store.write });
		const first = [queue.add(1), queue.add(2)];
		await turn();
		const second = [queue.add(3), queue.add(4)];
		await turn();
		expect(store.batches).toEqual([[1, 2]]);
		store.endNext();
		expect(await Promise.all(first)).toEqual(['1', '2']);
		await expect.poll(() => store.batches.length).toBe(2);
		store.endNext();
		expect(await Promise.all(second)).toEqual(['3', '4']);
		expect(store.batches).toEqual([
			[1, 2],
			[3, 4],
		]);
	});

	it('never writes more than its largest batch at once, in order', async () => {
		const batches: (readonly number[])[] = [];
		const write = async (batch: readonly number[]) => {
			batches.push(batch);
			return batch.map(String);
		};
		const queue = queueOf({ write });
		const answers = await Promise.all([1, 2, 3, 4, 5, 6, 7].map((each) => queue.add(each)));
		expect(answers).toEqual(['1', '2', '3', '4', '5', '6', '7']);
		expect(batches).toEqual([
			[1, 2, 3, 4],
			[5, 6, 7],
		]);
	});

	it('turns away what it cannot hold and keeps the rest', async () => {
		const store = slowStore();
		const queue = queueOf({ write: store.write, weightOf: (entry) => entry, waitingMax: 8 });
		const kept = queue.add(6);
		await expect(queue.add(3)).rejects.toMatchObject({ code: 'server_busy' });
		await turn();
		store.endNext();
		expect(await kept).toBe('6');
		// What alone is heavier than the limit still gets in when nothing waits.
		await expect.poll(() => queue.waiting()).toBe(0);
		const heavy = queue.add(9);
		await expect.poll(() => store.batches.length).toBe(2);
		store.endNext();
		expect(await heavy).toBe('9');
	});

	it('harms no other entry of a batch by one that the store refuses', async () => {
		const write = async (batch: readonly number[]) => {
			if (batch.includes(2)) throw new Error('refused');
			return batch.map(String);
		};
		const queue = queueOf({ write });
		const results = await Promise.allSettled([1, 2, 3].map((each) => queue.add(each)));
		expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
	});

	it('stops asking a store that takes nothing', async () => {
		let writes = 0;
		const write = async () => {
			writes += 1;
			throw new Error('disk');
		};
		const queue = queueOf({ write, weightMax: 100, waitingMax: 100 });
		const results = await Promise.allSettled(Array.from({ length: 50 }, (_, at) => queue.add(at)));
		expect(results.every(({ status }) => status === 'rejected')).toBe(true);
		expect(writes).toBe(4);
	});

	it('answers everything that it took before it ends, and takes nothing more', async () => {
		const queue = queueOf({});
		const taken = [queue.add(1), queue.add(2)];
		const drained = queue.drain();
		await expect(queue.add(3)).rejects.toMatchObject({ code: 'server_busy' });
		await drained;
		expect(await Promise.all(taken)).toEqual(['1', '2']);
		expect(queue.waiting()).toBe(0);
		await queue.drain();
	});
});
