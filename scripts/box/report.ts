import type { StepResult } from './steps.ts';

/** What a run of the box found. */
export interface BoxReport {
	readonly seconds: number;
	/** All steps ran. */
	readonly isWhole: boolean;
	readonly steps: readonly StepResult[];
}

/** A technician's part of it: from a booted box to the first visitor. */
export interface Commissioned {
	readonly minutes: number;
	readonly inputs: readonly string[];
}

/** What the technician did, and how long that took with all that the box did meanwhile. */
export function commissioned(steps: readonly StepResult[]): Commissioned {
	const own = steps.filter(({ inputs }) => inputs.length > 0);
	const seconds = own.reduce((sum, each) => sum + each.seconds, 0);
	return { minutes: Math.round(seconds / 6) / 10, inputs: own.flatMap(({ inputs }) => inputs) };
}

/** The report as a person reads it, in Markdown. */
export function boxReport({ seconds, isWhole, steps }: BoxReport): string {
	const rows = steps.map(
		({ name, seconds: each, held, seen }) =>
			`| ${held ? '✓' : '✗'} | ${name} | ${(each / 60).toFixed(1)} | ${seen.replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')} |`,
	);
	const end = isWhole ? 'all held' : 'a step did not hold, and those after it did not run';
	const { minutes, inputs } = commissioned(steps);
	return [
		`# A bare box: ${(seconds / 60).toFixed(1)} minutes, ${end}`,
		'',
		`From a booted box to the first visitor: ${minutes} minutes on an emulated processor, ${inputs.length} human inputs (${inputs.join('; ')}).`,
		'',
		'| | step | minutes | seen |',
		'| --- | --- | --- | --- |',
		...rows,
		'',
	].join('\n');
}
