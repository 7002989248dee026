/** Runs one piece of work after the other, in the order they came; a piece that fails does not keep the next one. */
export type Serial = <T>(work: () => Promise<T>) => Promise<T>;

/** Makes a line of work. */
export function createSerial(): Serial {
	let last: Promise<unknown> = Promise.resolve();
	return (work) => {
		const done = last.then(work, work);
		last = done.catch(() => undefined);
		return done;
	};
}
