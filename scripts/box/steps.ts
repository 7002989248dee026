/** A step of the proof, and what was seen in it. */
export interface StepResult {
	readonly name: string;
	readonly seconds: number;
	readonly held: boolean;
	readonly seen: string;
	/** What a technician typed or did for it; empty for what happens to a box by itself, or is only looked at. */
	readonly inputs: readonly string[];
}

/** Runs steps one after the other; each stands on what the one before left. */
export interface Steps {
	readonly results: readonly StepResult[];
	/** Runs one. `work` gives what was seen; where it rejects, the step did not hold, and so does this. */
	run(name: string, work: () => Promise<string>, ...inputs: readonly string[]): Promise<void>;
}

/** Makes the list of steps. `say` is told of each when it has ended. */
export function createSteps(say: (text: string) => void): Steps {
	const results: StepResult[] = [];
	const add = (result: StepResult) => {
		results.push(result);
		say(`${result.held ? '✓' : '✗'} ${result.seconds.toFixed(0).padStart(4)} s  ${result.name}: ${result.seen}`);
	};
	return {
		results,
		run: async (name, work, ...inputs) => {
			const startedMs = performance.now();
			const seconds = () => (performance.now() - startedMs) / 1000;
			try {
				const seen = await work();
				add({ name, seconds: seconds(), held: true, seen, inputs });
			} catch (error) {
				const seen = error instanceof Error ? error.message : String(error);
				add({ name, seconds: seconds(), held: false, seen, inputs });
				throw error;
			}
		},
	};
}

/** Fails a step with what was expected. */
export function must(isSo: boolean, what: string): void {
	if (!isSo) throw new Error(`not so: ${what}`);
}
