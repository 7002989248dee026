/** Steps that are taken back in the opposite order where a later one fails. */
export interface Undo {
	/** Remembers how to take back what was just done. */
	push(step: () => Promise<unknown>): void;
	/** Takes everything back. Every step is tried; what cannot be taken back is left. */
	all(): Promise<void>;
	/** Keeps everything from now on. */
	forget(): void;
}

/** Makes an empty list of steps. */
export function createUndo(): Undo {
	let steps: (() => Promise<unknown>)[] = [];
	return {
		push: (step) => void steps.push(step),
		all: async () => {
			const back = steps.toReversed();
			steps = [];
			for (const step of back) await step().catch(() => {});
		},
		forget: () => {
			steps = [];
		},
	};
}
