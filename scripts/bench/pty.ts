import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, percentile } from './figures.ts';
import { startGate } from './running-gate.ts';
import { openVenue } from './venue.ts';

const rounds = 200;
const roundsQuick = 10;
const warmups = 5;

/** The pulse of the measured gate: the shortest, so that the next ticket need not wait. */
const pulseMs = 50;

/** The relay rests between two pulses; who comes earlier waits for it. */
const restMs = 150;

const budgetP99Ms = 5;

/**
 * From the moment the last byte of a code is written to the scanner's pseudo-terminal until the first byte comes out
 * of the relay's: the whole gate, in its own process.
 */
export const pty: Bench = async ({ dir, quick, say }) => {
	const venue = await openVenue(dir);
	const tickets = await venue.tickets((quick ? roundsQuick : rounds) + warmups);
	const gate = await startGate(dir, venue.keys, [`lanes.0.relay.pulseMs=${pulseMs}`]);
	say(`presenting ${tickets.length} tickets to a running gate`);
	const tookMs: number[] = [];
	try {
		for (const code of tickets) tookMs.push(await present(gate, code));
	} finally {
		await gate.close();
	}
	const measured = tookMs.slice(warmups);
	return [
		{ bench: 'pty', what: 'scanner byte to relay byte, p50', value: percentile(measured, 0.5), unit: 'ms' },
		{
			bench: 'pty',
			what: 'scanner byte to relay byte, p99',
			value: percentile(measured, 0.99),
			unit: 'ms',
			budget: budgetP99Ms,
		},
	];
};

/** Resolves with the milliseconds to the first relay byte, once the relay was switched off again. */
async function present(gate: Awaited<ReturnType<typeof startGate>>, code: string): Promise<number> {
	let firstAt: number | undefined;
	let bytes = 0;
	const done = new Promise<void>((resolve, reject) => {
		const late = setTimeout(() => reject(new Error('a valid ticket did not open the gate')), 5_000);
		gate.onRelay((chunk) => {
			firstAt ??= performance.now();
			bytes += chunk.length;
			// "On" and "off" are frames of four bytes.
			if (bytes < 8) return;
			clearTimeout(late);
			resolve();
		});
	});
	await gate.scan(code);
	const writtenAt = performance.now();
	await done;
	await sleep(restMs);
	return (firstAt ?? Number.NaN) - writtenAt;
}
