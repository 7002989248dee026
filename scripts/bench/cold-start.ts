import { type Bench, percentile } from './figures.ts';
import { startGate } from './running-gate.ts';
import { openVenue } from './venue.ts';

const rounds = 7;
const roundsQuick = 2;
const budgetMs = 1_000;

/** From the start of the process to the line that says that every device is open: first and later starts. */
export const coldStart: Bench = async ({ dir, quick, say }) => {
	const venue = await openVenue(dir);
	const readyMs: number[] = [];
	for (let i = 0; i < (quick ? roundsQuick : rounds); i += 1) {
		const gate = await startGate(dir, venue.keys);
		await gate.close();
		readyMs.push(gate.readyMs);
		say(`start ${i + 1}: ${gate.readyMs.toFixed(0)} ms`);
	}
	return [
		{ bench: 'cold-start', what: 'process to ready, median', value: percentile(readyMs, 0.5), unit: 'ms' },
		{
			bench: 'cold-start',
			what: 'process to ready, slowest',
			value: Math.max(...readyMs),
			unit: 'ms',
			budget: budgetMs,
		},
	];
};
