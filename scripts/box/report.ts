import type { StepResult } from './steps.ts';

/** What a run of the box found. */
export interface BoxReport {
	readonly seconds: number;
	/** All steps ran. */
	readonly isWhole: boolean;
	readonly steps: readonly StepResult[];
}

/** The report as a person reads it, in Markdown. */
export function boxReport({ seconds, isWhole, steps }: BoxReport): string {
	const rows = steps.map(
		({ name, seconds: each, held, seen }) =>
			`| ${held ? '✓' : '✗'} | ${name} | ${(each / 60).toFixed(1)} | ${seen.replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')} |`,
	);
	const end = isWhole ? 'all held' : 'a step did not hold, and those after it did not run';
	return [
		`# A bare box: ${(seconds / 60).toFixed(1)} minutes, ${end}`,
		'',
		'| | step | minutes | seen |',
		'| --- | --- | --- | --- |',
		...rows,
		'',
		'What a technician types: `apt install ./stileward_….deb`, the configuration, `systemctl start stileward-gate`.',
		'',
	].join('\n');
}
