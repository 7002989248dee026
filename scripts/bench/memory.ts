import type { Bench, Figure } from './figures.ts';
import { startGate } from './running-gate.ts';
import { openVenue } from './venue.ts';

const decisions = 10_000;
const decisionsQuick = 300;
const budgetMb = 120;

/**
 * Resident memory of a running gate after its start and after many decisions. The tickets are genuine but expired, so
 * that each is verified, decided and journalled without waiting for a turnstile.
 */
export const memory: Bench = async ({ dir, quick, say }) => {
	const venue = await openVenue(dir);
	const count = quick ? decisionsQuick : decisions;
	say(`issuing ${count} tickets`);
	const tickets = await venue.tickets(count, 'expired');
	const gate = await startGate(dir, venue.keys);
	try {
		const before = gate.memory();
		say(`presenting ${count} tickets to a running gate`);
		for (const code of tickets) {
			const denied = nextDenial(gate);
			await gate.scan(code);
			await denied;
		}
		const after = gate.memory();
		return [
			figure('agent after start', before.agent, budgetMb),
			figure(`agent after ${count} decisions`, after.agent, budgetMb),
			figure('its watchdog process', after.children),
		];
	} finally {
		await gate.close();
	}
};

function nextDenial(gate: Awaited<ReturnType<typeof startGate>>): Promise<void> {
	return new Promise((resolve, reject) => {
		const late = setTimeout(() => reject(new Error('an expired ticket was not refused')), 5_000);
		gate.onLog(({ event }) => {
			if (event !== 'denied') return;
			clearTimeout(late);
			resolve();
		});
	});
}

function figure(what: string, bytes: number, budget?: number): Figure {
	return { bench: 'memory', what, value: bytes / 1e6, unit: 'MB', ...(budget && { budget }) };
}
