import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { loadConfig } from '../../gate-agent/config.ts';
import { issueTicket } from '../../gate-agent/core/issue.ts';
import { enrollGate } from '../../gate-agent/enroll-gate.ts';
import { readEnrollment } from '../../gate-agent/enrollment.ts';
import { loadIssuer } from '../../gate-agent/keys/key-folder.ts';
import { openVenueLink, type VenueLink } from '../../gate-agent/venue-link.ts';
import { type BenchLane, createBenchClock, openBenchLedger, startBenchLane } from './bench-lane.ts';
import { type Bench, type Figure, percentile } from './figures.ts';
import { createEvent, type ServerProcess, startServerProcess } from './server-process.ts';
import { event, gateFile } from './venue.ts';

const rounds = { full: 1_000, quick: 50 } as const;
const frozenRounds = { full: 10, quick: 2 } as const;
const warmups = 20;

/** What a decision with a claim may cost, and how far beyond the lane's patience a dead authority may carry it. */
const budget = { p99Ms: 10, beyondClaimMs: 5 } as const;

const silent = pino({ level: 'silent' });

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
		const tickets = await issue(join(dir, 'server', 'keys'), count + warmups + frozen * 2);
		const gate = await openGate(dir, server);
		say(`deciding ${count} times with a claim`);
		const tookMs: number[] = [];
		for (let i = 0; i < count + warmups; i += 1) {
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

interface Gate {
	readonly lane: BenchLane;
	readonly link: VenueLink;
	readonly claimBudgetMs: number;
	close(): Promise<void>;
}

/** Decides once on a frozen server, then waits until it grants again. */
async function frozenOnce(server: ServerProcess, { lane, link }: Gate, tickets: string[]): Promise<number> {
	server.freeze(true);
	const tookMs = await lane.admit(tickets.pop() ?? '');
	server.freeze(false);
	// A probe finds the server, then one claim that is answered makes it the authority again.
	while (link.authority.state() !== 'reachable') await sleep(20);
	await lane.admit(tickets.pop() ?? '');
	return tookMs;
}

async function issue(keys: string, count: number): Promise<string[]> {
	const issuer = await loadIssuer(keys);
	const nowS = Math.floor(Date.now() / 1000);
	const tickets: string[] = [];
	for (let idx = 0; idx < count; idx += 1) {
		const claims = { evt: event.evt, idx, cls: 'adult', nbf: nowS - 86_400, exp: nowS + 86_400 };
		tickets.push(await issueTicket(claims, issuer.keyFor(event.evt, idx), 'compact'));
	}
	return tickets;
}

async function openGate(dir: string, server: ServerProcess): Promise<Gate> {
	const data = join(dir, 'gate');
	const config = loadConfig({ file: gateFile, sets: [`data=${data}`] });
	const { code } = await server.office('POST', '/codes', { name: 'gate-1' });
	const { url, fingerprint } = server;
	const about = { name: 'gate-1', version: '0.0.0-bench', replace: false, log: silent };
	await enrollGate({ url, fingerprint, code: String(code), dir: data, ...about });
	const gate = await readEnrollment(data);
	if (!gate) throw new Error('assertion failed: the gate is enrolled');
	const told = { rows: () => {} };
	const ledger = await openBenchLedger(config, () => told.rows());
	const clock = createBenchClock();
	const { claimBudgetMs } = config;
	const link = await openVenueLink({
		...{ gate, ledger, clock, log: silent, version: about.version, claimBudgetMs, random: Math.random },
		lanes: () => new Map(),
		onCommand: () => {},
	});
	told.rows = () => link.rowsWritten();
	await link.firstTry(10_000);
	const lane = startBenchLane({ config, rules: { ...link, keyset: link.keys.keyset }, ledger, clock });
	return {
		...{ lane, link, claimBudgetMs },
		close: async () => {
			lane.stop();
			await link.close();
			await ledger.close();
		},
	};
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
