import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, type Figure, percentile } from './figures.ts';
import { type JoinedGate, joinGate, ticketsOf } from './joined-gate.ts';
import { createEvent, type ServerProcess, startServerProcess } from './server-process.ts';

const rounds = { full: 1_000, quick: 50 } as const;
const frozenRounds = { full: 10, quick: 2 } as const;
const warmups = 20;

/** Visitors come seconds apart: the rows of the one before have reached the server by then. */
const betweenMs = 60;

/** What a decision with a claim may cost, and how far beyond the lane's patience a dead authority may carry it. */
const budget = { p99Ms: 10, beyondClaimMs: 5 } as const;

/**
 * The same decision in a gate that asks its venue's authority first, a server process on loopback with TLS and durable
 * commits. Then the server is frozen in the middle of everything: the next visitor pays the claim's time-out once.
 */
export const claimedDecision: Bench = async ({ dir, quick, say }) => {
	const server = await startServerProcess(join(dir, 'server'));
	try {
		await createEvent(server);
		const count = quick ? rounds.quick : rounds.full;
		const frozen = quick ? frozenRounds.quick : frozenRounds.full;
		say(`issuing ${count} tickets`);
		const tickets = await ticketsOf(join(dir, 'server'), count + warmups + frozen * 2);
		const gate = await joinGate(server, { name: 'gate-1', data: join(dir, 'gate') });
		say(`deciding ${count} times with a claim`);
		const tookMs: number[] = [];
		for (let i = 0; i < count + warmups; i += 1) {
			await sleep(betweenMs);
			const took = await gate.lane.admit(tickets.pop() ?? '');
			if (i >= warmups) tookMs.push(took);
		}
		say(`freezing the server ${frozen} times`);
		const frozenMs: number[] = [];
		for (let i = 0; i < frozen; i += 1) frozenMs.push(await frozenOnce(server, gate, tickets));
		await gate.close();
		return figuresOf(tookMs, frozenMs, gate.claimBudgetMs);
	} finally {
		await server.close();
	}
};

/** Decides once on a frozen server, then waits until it grants again. */
async function frozenOnce(server: ServerProcess, { lane, link }: JoinedGate, tickets: string[]): Promise<number> {
	server.freeze(true);
	const tookMs = await lane.admit(tickets.pop() ?? '');
	server.freeze(false);
	// A probe finds the server, then one claim that is answered makes it the authority again.
	while (link.authority.state() !== 'reachable') await sleep(20);
	await lane.admit(tickets.pop() ?? '');
	return tookMs;
}

function figuresOf(tookMs: readonly number[], frozenMs: readonly number[], claimBudgetMs: number): readonly Figure[] {
	const figure = (what: string, value: number, more: Partial<Figure> = {}): Figure => ({
		...{ bench: 'claimed-decision', what, value, unit: 'ms', ...more },
	});
	return [
		figure('p50, claim over loopback TLS', percentile(tookMs, 0.5)),
		figure('p99, claim over loopback TLS', percentile(tookMs, 0.99), { budget: budget.p99Ms }),
		figure(`slowest on a frozen server, claim time-out ${claimBudgetMs} ms`, Math.max(...frozenMs), {
			budget: claimBudgetMs + budget.beyondClaimMs,
		}),
	];
}
