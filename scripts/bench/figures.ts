/** One measured figure, beside what it may be. */
export interface Figure {
	/** The measurement that it belongs to, e.g. `decision`. */
	readonly bench: string;
	readonly what: string;
	readonly value: number;
	readonly unit: 'ms' | 'µs' | 's' | '1/s' | 'cores' | 'KB' | 'MB' | '×' | '';
	/** The most that it may be; absent where the figure is only for orientation. */
	readonly budget?: number;
	/** The budget is the least that it must be. */
	readonly least?: true;
}

/** What every measurement is given. */
export interface BenchContext {
	/** A folder of its own on the disk that is measured; emptied by the caller. */
	readonly dir: string;
	/** Fewer rounds: proves that the measurement runs, not what it measures. */
	readonly quick: boolean;
	/** One line for whoever waits. */
	readonly say: (line: string) => void;
}

/** A measurement. */
export type Bench = (context: BenchContext) => Promise<readonly Figure[]>;

/** The value below which `share` (0 … 1) of the samples lie, by nearest rank. */
export function percentile(samples: readonly number[], share: number): number {
	const sorted = samples.toSorted((a, b) => a - b);
	const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
	if (value === undefined) throw new Error('assertion failed: a percentile needs a sample');
	return value;
}

/** Whether a figure keeps its budget; undefined where it has none. */
export function keepsBudget({ value, budget, least }: Figure): boolean | undefined {
	if (budget === undefined) return undefined;
	return least ? value >= budget : value <= budget;
}

/** The figures as a table for people. */
export function tableOf(figures: readonly Figure[]): string {
	const rows = figures.map((figure) => {
		const budget =
			figure.budget === undefined ? '' : `${figure.least ? '≥' : '≤'} ${numberOf(figure.budget)} ${figure.unit}`;
		const mark = { true: 'pass', false: 'MISS', undefined: '' }[`${keepsBudget(figure)}`] ?? '';
		return [figure.bench, figure.what, `${numberOf(figure.value)} ${figure.unit}`, budget, mark];
	});
	const head = ['measurement', 'figure', 'value', 'budget', ''];
	const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
	const line = (row: readonly string[]) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ');
	return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)]
		.map((text) => text.trimEnd())
		.join('\n');
}

function numberOf(value: number): string {
	if (Number.isInteger(value)) return `${value}`;
	return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}
