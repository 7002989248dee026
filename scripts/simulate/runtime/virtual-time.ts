import { AsyncLocalStorage } from 'node:async_hooks';

/** A program of the world. What it begins ends with it: after `kill` none of its timers comes. */
export interface VirtualProcess {
	readonly name: string;
	readonly isAlive: boolean;
	/** Does work as this program: timers that the work makes, at once or later, are the program's. */
	run<T>(work: () => T): T;
	/** Ends the program between two of its steps, as a power cut does. */
	kill(): void;
}

/** Something that comes later. */
export interface Later {
	cancel(): void;
}

/** The time of one world. It moves only while `runUntil` is under way. */
export interface VirtualTime {
	/** Milliseconds since the world began. */
	nowMs(): number;
	/** Does something after so long. Equal moments keep the order in which they were asked for. */
	after(ms: number, act: () => void): Later;
	/** Does something in this moment, once everything that is ready has been done. */
	soon(act: () => void): Later;
	process(name: string): VirtualProcess;
	/** Does work that belongs to no program, such as a letter that is under way: it goes on whoever dies. */
	outside<T>(work: () => T): T;
	/** Lets time pass. Everything that needs no time is done before the next moment comes. */
	runUntil(ms: number): Promise<void>;
}

interface Entry {
	readonly atMs: number;
	readonly order: number;
	readonly owner: VirtualProcess | undefined;
	act: (() => void) | undefined;
}

/**
 * Moments of this many steps are a loop that never waits: a bug of the simulated program or of the world. A real moment
 * has some dozens.
 */
const stepsPerMomentMax = 100_000;

/**
 * Makes the time of a world. `turn` waits until the runtime has nothing ready any more: one round of the real event
 * loop, as long as nothing in the world works on another thread.
 */
export function createVirtualTime(turn: () => Promise<void>): VirtualTime {
	const owners = new AsyncLocalStorage<VirtualProcess | undefined>();
	const queue = createQueue();
	let soon: Entry[] = [];
	let nowMs = 0;
	let order = 0;

	function entryOf(atMs: number, act: () => void): Entry {
		order += 1;
		return { atMs, order, owner: owners.getStore(), act };
	}

	/** Does what is ready, in order, until nothing is. */
	async function settle(): Promise<void> {
		await turn();
		for (let steps = 0; soon.length > 0; steps += 1) {
			if (steps > stepsPerMomentMax) throw new Error(`assertion failed: the moment ${nowMs} does not end`);
			const [next, ...rest] = soon;
			soon = rest;
			if (next && begin(next)) await turn();
		}
	}

	function begin(entry: Entry): boolean {
		const { act, owner } = entry;
		if (act === undefined || owner?.isAlive === false) return false;
		entry.act = undefined;
		owners.run(owner, act);
		return true;
	}

	return {
		nowMs: () => nowMs,
		outside: (work) => owners.run(undefined, work),
		after: (ms, act) => {
			const entry = entryOf(nowMs + Math.max(0, ms), act);
			queue.add(entry);
			return laterOf(entry);
		},
		soon: (act) => {
			const entry = entryOf(nowMs, act);
			soon.push(entry);
			return laterOf(entry);
		},
		process: (name) => createProcess(name, (process, work) => owners.run(process, work)),
		runUntil: async (ms) => {
			await settle();
			for (let next = queue.take(ms); next !== undefined; next = queue.take(ms)) {
				nowMs = Math.max(nowMs, next.atMs);
				if (begin(next)) await settle();
			}
			nowMs = Math.max(nowMs, ms);
		},
	};
}

function laterOf(entry: Entry): Later {
	return {
		cancel: () => {
			entry.act = undefined;
		},
	};
}

function createProcess(name: string, runAs: <T>(process: VirtualProcess, work: () => T) => T): VirtualProcess {
	let isAlive = true;
	const self: VirtualProcess = {
		name,
		get isAlive() {
			return isAlive;
		},
		run: (work) => runAs(self, work),
		kill: () => {
			isAlive = false;
		},
	};
	return self;
}

/** A binary heap by moment, then by order. */
function createQueue() {
	const heap: Entry[] = [];
	const isBefore = (a: Entry, b: Entry) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
	const at = (index: number): Entry => heap[index] as Entry;
	const swap = (one: number, other: number) => {
		[heap[one], heap[other]] = [at(other), at(one)];
	};
	const sink = () => {
		for (let place = 0; ; ) {
			let least = place;
			for (const child of [2 * place + 1, 2 * place + 2]) {
				if (child < heap.length && isBefore(at(child), at(least))) least = child;
			}
			if (least === place) return;
			swap(place, least);
			place = least;
		}
	};
	return {
		add: (entry: Entry) => {
			heap.push(entry);
			for (let place = heap.length - 1; place > 0; ) {
				const parent = (place - 1) >> 1;
				if (!isBefore(at(place), at(parent))) return;
				swap(place, parent);
				place = parent;
			}
		},
		/** The first entry that comes until `ms`. */
		take: (ms: number): Entry | undefined => {
			const first = heap[0];
			if (first === undefined || first.atMs > ms) return undefined;
			const last = heap.pop();
			if (last !== undefined && heap.length > 0) {
				heap[0] = last;
				sink();
			}
			return first;
		},
	};
}
