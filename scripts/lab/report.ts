import type { CutResult } from './power-cuts.ts';

/** What the lab found. */
export interface LabReport {
	/** Version of the guest's kernel. */
	readonly kernel: string;
	readonly seconds: number;
	readonly tests?: TestResults;
	readonly cuts?: readonly CutResult[];
}

/** The tests of one boot. `code` is the guest's exit code, or how it ended otherwise. */
export interface TestResults {
	readonly code: number | string;
	readonly passed: number;
	readonly failed: number;
	readonly tests: readonly TestResult[];
}

/** One test, and the figures that it measured. */
export interface TestResult {
	readonly file: string;
	readonly name: string;
	readonly status: string;
	readonly seconds: number;
	readonly figures: Readonly<Record<string, string>>;
	readonly failure?: string;
}

/** The parts of vitest's JSON report that are read. */
interface RunnerReport {
	readonly testResults: readonly {
		readonly name: string;
		readonly message: string;
		readonly assertionResults: readonly {
			readonly fullName: string;
			readonly status: string;
			readonly duration?: number | null;
			readonly failureMessages?: readonly string[];
			readonly meta?: { readonly figures?: Readonly<Record<string, string>> };
		}[];
	}[];
}

/** Reads the runner's report; a guest that broke down has none. */
export function testResults(text: string | undefined): Omit<TestResults, 'code'> {
	const report: RunnerReport = text === undefined ? { testResults: [] } : JSON.parse(text);
	const tests = report.testResults.flatMap(({ name, assertionResults, message }): readonly TestResult[] => {
		const file = name.replace(/^\/lab\/project\//, '');
		if (assertionResults.length === 0 && message !== '') {
			return [{ file, name: 'the file is loaded', status: 'failed', seconds: 0, figures: {}, failure: message }];
		}
		return assertionResults.map(({ fullName, status, duration, failureMessages = [], meta }) => {
			const [failure] = failureMessages;
			return {
				...{ file, name: fullName, status },
				...{ seconds: (duration ?? 0) / 1000, figures: meta?.figures ?? {} },
				...(failure !== undefined && { failure }),
			};
		});
	});
	const count = (wanted: string) => tests.filter(({ status }) => status === wanted).length;
	return { passed: count('passed'), failed: count('failed'), tests };
}

/** Those of `files` that a guest which broke down did not finish; the runner's report does not know what was never begun. */
export function undoneFiles(files: readonly string[], { tests }: TestResults): readonly string[] {
	const byFile = Map.groupBy(tests, ({ file }) => file);
	return files.filter((file) => !(byFile.get(file)?.every(({ status }) => status === 'passed') ?? false));
}

/** What two boots found: of the files that the second one ran its own word counts. */
export function joined(first: TestResults, second: TestResults): TestResults {
	const again = new Set(second.tests.map(({ file }) => file));
	const kept = first.tests.filter(({ file, status }) => status === 'passed' && !again.has(file));
	return { ...second, passed: kept.length + second.passed, tests: [...kept, ...second.tests] };
}

/** The report as a person reads it, in Markdown. */
export function reportText({ kernel, seconds, tests, cuts }: LabReport): string {
	const lines = [`# Hardware lab: kernel ${kernel}, ${seconds.toFixed(0)} s`, ''];
	if (tests !== undefined) lines.push(...testLines(tests));
	if (cuts !== undefined) lines.push('## Power cuts', '', ...cuts.map(cutLine), '');
	return `${lines.join('\n')}\n`;
}

function testLines({ code, passed, failed, tests }: TestResults): readonly string[] {
	const lines: string[] = [];
	for (const [file, ofFile] of Map.groupBy(tests, (test) => test.file)) {
		lines.push(`## ${file.replace('.lab.test.ts', '')}`, '');
		for (const { name, status, seconds, figures, failure } of ofFile ?? []) {
			const mark = status === 'passed' ? '✓' : status === 'failed' ? '✗' : '–';
			const again = status === 'passed' && failure !== undefined ? ', on the second try' : '';
			lines.push(`- ${mark} ${name} (${seconds.toFixed(1)} s${again})`);
			for (const [what, value] of Object.entries(figures)) lines.push(`  - ${what}: ${value}`);
			if (failure !== undefined) lines.push(`  - ${failure.split('\n')[0]}`);
		}
		lines.push('');
	}
	const end = code === 0 ? '' : `; the guest ended with ${code}`;
	return [...lines, `${passed} passed, ${failed} failed${end}`, ''];
}

function cutLine({ name, seed, acknowledged, kept, lost, unflushed, held }: CutResult): string {
	const found = lost === 0 ? `all ${acknowledged} acknowledged are there` : `${lost} of ${acknowledged} are lost`;
	return `- ${held ? '✓' : '✗'} ${name}, seed ${seed}: ${found} (${kept} kept, ${unflushed} writes were not flushed)`;
}
