/** Numbers that are the same for the same seed. Every part of a world has its own, so that a draw more in one moves no other. */
export interface Chance {
	/** Uniform in [0, 1). */
	next(): number;
	/** Uniform between two numbers. */
	between(least: number, most: number): number;
	/** A whole number from `least` to `most`, both included. */
	whole(least: number, most: number): number;
	/** True in this share of draws. */
	happens(share: number): boolean;
	/** One of the list. */
	pick<T>(list: readonly T[]): T;
	/** One of the names, each as often as its weight says. */
	weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name;
	/** Fills bytes, for what a runtime draws itself. */
	fill(bytes: Uint8Array): void;
	/** The chance of a part, by its name: the same one each time, and it goes on where it was. */
	of(part: string): Chance;
}

/** Makes the chance of a world. */
export function createChance(seed: number, path = ''): Chance {
	const next = generator(hashOf(`${seed}/${path}`));
	const parts = new Map<string, Chance>();
	const whole = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
	return {
		next,
		whole,
		between: (least, most) => least + next() * (most - least),
		happens: (share) => next() < share,
		pick: <T>(list: readonly T[]) => {
			const picked = list[whole(0, list.length - 1)];
			if (picked === undefined) throw new Error('assertion failed: nothing to pick from');
			return picked;
		},
		weighted: <Name extends string>(weights: Readonly<Record<Name, number>>) => {
			// A record's entries have its names.
			const entries = Object.entries(weights) as [Name, number][];
			let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
			for (const [name, weight] of entries) {
				left -= weight;
				if (left < 0) return name;
			}
			throw new Error('assertion failed: weights must be positive');
		},
		fill: (bytes) => {
			for (let at = 0; at < bytes.length; at += 1) bytes[at] = Math.floor(next() * 256);
		},
		of: (part) => {
			const kept = parts.get(part) ?? createChance(seed, `${path}/${part}`);
			parts.set(part, kept);
			return kept;
		},
	};
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
	let hash = 0x811c9dc5;
	for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
	return hash;
}

/** Mulberry32. */
function generator(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}
