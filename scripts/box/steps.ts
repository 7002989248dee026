/** A step of the proof, and what was seen in it. */
export interface StepResult {
	readonly name: string;
	readonly seconds: number;
	readonly held: boolean;
	readonly seen: string;
}

/** Runs steps one after the other; each stands on what the one before left. */
export interface Steps {
	readonly results: readonly StepResult[];
	/** Runs one. `work` gives what was seen; where it rejects, the step did not hold, and so does this. */
	run(name: string, work: () => Promise<string>): Promise<void>;
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
		run: async (name, work) => {
			const startedMs = performance.now();
			const seconds = () => (performance.now() - startedMs) / 1000;
			try {
				const seen = await work();
				add({ name, seconds: seconds(), held: true, seen });
			} catch (error) {
				add({ name, seconds: seconds(), held: false, seen: error instanceof Error ? error.message : String(error) });
				throw error;
			}
		},
	};
}

/** Fails a step with what was expected. */
export function must(isSo: boolean, what: string): void {
	if (!isSo) throw new Error(`not so: ${what}`);
}
