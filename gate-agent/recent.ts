/** The newest of many, oldest forgotten first. */
export interface Recent<T> {
	add(item: T): void;
	/** The newest first. */
	list(): readonly T[];
}

/** Keeps at most so many. */
export function createRecent<T>(max: number): Recent<T> {
	const items: T[] = [];
	return {
		add: (item) => {
			items.push(item);
			if (items.length > max) items.shift();
		},
		list: () => items.toReversed(),
	};
}
