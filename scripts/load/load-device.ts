import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { type Admitter, createAdmitter } from '../../gate-agent/core/admit.ts';
import { type AgentClock, createAgentClock } from '../../gate-agent/core/agent-clock.ts';
import type { Authority } from '../../gate-agent/core/authority.ts';
import type { RedeemResult } from '../../gate-agent/core/lane-state.ts';
import type { Learned, Ledger } from '../../gate-agent/core/ledger.ts';
import { createMemoryLedger } from '../../gate-agent/core/memory-ledger.ts';
import type { Refusal } from '../../gate-agent/core/refusal.ts';
import { startedFact } from '../../gate-agent/core/started.ts';
import { type TicketId, ticketId } from '../../gate-agent/core/ticket.ts';
import type { Logger } from '../../gate-agent/logger.ts';
import { createRedemptionIds } from '../../gate-agent/redemption-ids.ts';
import { openVenueLink, type VenueLink } from '../../gate-agent/venue-link.ts';
import { claimBudgetMs } from '../../sync/client/claimer.ts';
import { event } from '../bench/venue.ts';
import { watchedLedger } from '../bench/watched-ledger.ts';
import type { Journal, Member, Visit } from './crowd.ts';
import type { Kind } from './plan.ts';

/** A device of the venue as its program is, but for its disk, its scanner and its gate. */
export interface LoadDevice {
	/** Takes each of its scans at its time, one after the other. */
	show(beginMs: number): Promise<readonly Visit[]>;
	/** Waits until the server has every row, for as long as a person would. */
	drain(): Promise<Journal>;
	close(): Promise<void>;
}

/** How a device is opened. */
export interface LoadDeviceOptions {
	readonly kind: Kind;
	readonly member: Member;
	readonly onError: (error: string) => void;
	/** Told how old a passage at another device was when this one had it in its ledger. */
	readonly onHeard: (ageMs: number) => void;
}

/** How long a lane waits for the authority, and how long a visitor is on the way through. */
const manners: Readonly<Record<Kind, { readonly claimMs: number; readonly passageMs: number }>> = {
	handheld: { claimMs: claimBudgetMs.wifi, passageMs: 0 },
	lane: { claimMs: claimBudgetMs.wired, passageMs: 1_200 },
};

const version = '0.0.0-load';
const joinWithinMs = 60_000;
const drainWithinMs = 60_000;

/** How often somebody who waits looks again, and how old `health` may be. */
const lookMs = 50;
const healthAgeMs = 1_100;

/** Joins the venue and resolves once the device follows it. */
export async function openLoadDevice(options: LoadDeviceOptions): Promise<LoadDevice> {
	const { kind, member, onHeard } = options;
	const { gate, name } = member;
	const told = { isClosing: false };
	const clock = createAgentClock(
		{ systemMs: Date.now, monoMs: () => performance.now() },
		{ floorsMs: [Date.now() - 1], epoch: 1, onChange: () => {} },
	);
	const memory = createMemoryLedger({ epoch: randomBytes(6).toString('base64url'), device: gate.enrollment.device });
	const ledger = watchedLedger(memory, (changes) => {
		for (const ageMs of agesOf(changes, clock.read().nowMs)) onHeard(ageMs);
	});
	const link = await openVenueLink({
		...{ gate, ledger, clock, version, agent: name, random: Math.random },
		log: logTo((line) => told.isClosing || options.onError(`${name}: ${line}`)),
		claimBudgetMs: manners[kind].claimMs,
		lanes: () => new Map(),
		onCommand: () => {},
	});
	await ledger.record(startedFact({ clock, agent: name, version }), clock.read().nowMs);
	link.rowsWritten();
	const follows = () => link.health().state === 'online' && link.policyOf(event.evt) !== undefined;
	if (!(await until(follows, joinWithinMs))) throw new Error(`${name} did not join within ${joinWithinMs} ms`);
	const parts = { ...options, link, ledger, clock, ...watchedAdmitter(options, { link, ledger, clock }) };
	return {
		show: (beginMs) => showAll(parts, beginMs),
		drain: async () => {
			await sleep(healthAgeMs);
			await until(() => link.health().waiting === 0, drainWithinMs);
			return { device: gate.enrollment.device, name, rows: await ledger.newestSeq() };
		},
		close: async () => {
			told.isClosing = true;
			await link.close();
			await ledger.close();
		},
	};
}

interface Joined {
	readonly link: VenueLink;
	readonly ledger: Ledger;
	readonly clock: AgentClock;
}

interface Parts extends LoadDeviceOptions, Joined {
	readonly admitter: Admitter;
	/** The claims since the last time. */
	readonly takeClaims: () => Visit['claims'];
}

/** The admissions of a gate, with each claim timed. */
function watchedAdmitter({ member, kind, onError }: LoadDeviceOptions, { link, ledger, clock }: Joined) {
	let claims: Visit['claims'][number][] = [];
	const { authority } = link;
	const timed: Authority = {
		state: authority.state,
		done: authority.done,
		claim: async (request) => {
			const startedMs = performance.now();
			const verdict = await authority.claim(request);
			claims.push({ tookMs: performance.now() - startedMs, kind: verdict.kind });
			return verdict;
		},
	};
	const admitter = createAdmitter({
		...link,
		...{ ledger, authority: timed, agent: member.name },
		keyset: link.keys.keyset,
		lane: { id: `${member.name}-1`, zone: 'main' },
		clock: clock.read,
		newRedemptionId: createRedemptionIds(),
		onError: (error) => onError(`${member.name}, ${kind}: ${error}`),
	});
	const takeClaims = () => {
		const taken = claims;
		claims = [];
		return taken;
	};
	return { admitter, takeClaims };
}

async function showAll(parts: Parts, beginMs: number): Promise<readonly Visit[]> {
	const visits: Visit[] = [];
	for (const { atMs, idx, text } of parts.member.scans) {
		await sleep(Math.max(0, beginMs + atMs - performance.now()));
		visits.push(await visit(parts, idx, text));
	}
	return visits;
}

async function visit(parts: Parts, idx: number, text: string): Promise<Visit> {
	const { member, admitter, takeClaims } = parts;
	const startedMs = performance.now();
	const checked = await admitter.check(text, 'entry');
	const result: RedeemResult =
		checked.kind === 'admissible' ? await admitter.redeem(checked.admissible.ticket, 'entry') : checked;
	const tookMs = performance.now() - startedMs;
	const outcome = await follow(parts, result, ticketId(event.evt, idx));
	return { device: member.gate.enrollment.device, name: member.name, idx, tookMs, outcome, claims: takeClaims() };
}

/** The visitor passes, or the refusal is written down. */
async function follow(parts: Parts, result: RedeemResult, ticket: TicketId): Promise<Visit['outcome']> {
	if (result.kind === 'exited') throw new Error('assertion failed: nobody leaves here');
	if (result.kind === 'refused') {
		await deny(parts, result.refusal, ticket);
		return { kind: 'refused', reason: result.refusal.reason };
	}
	const { link, ledger, clock, kind } = parts;
	const { redemptionId, uses, rung } = result.grant;
	link.rowsWritten();
	await sleep(manners[kind].passageMs);
	const settlement = { redemptionId, outcome: 'taken', taken: uses, back: false, counted: false } as const;
	await ledger.settle(settlement, Math.trunc(clock.read().nowMs));
	link.rowsWritten();
	return { kind: 'granted', redemption: redemptionId, rung };
}

async function deny({ member, ledger, clock, link }: Parts, { reason }: Refusal, ticket: TicketId): Promise<void> {
	ledger.deny({ reason, lane: `${member.name}-1`, ticketId: ticket, atMs: Math.trunc(clock.read().nowMs) });
	await ledger.flush();
	link.rowsWritten();
}

/** How old the passages of others are that come in: the newest use is told with the time of its row. */
function agesOf(changes: readonly Learned[], nowMs: number): readonly number[] {
	return changes.flatMap((change) => {
		if (change.kind !== 'right' || change.used === 0 || change.ownSeq !== undefined) return [];
		return change.last === undefined ? [] : [nowMs - change.last.atMs];
	});
}

/** As pino numbers it. */
const errorLevel = 50;

/** A log of which only errors, and a server that is gone, are of interest. */
function logTo(tell: (line: string) => void): Logger {
	const write = (line: string) => {
		const { level, event: what, state } = JSON.parse(line) as Record<string, unknown>;
		if (Number(level) >= errorLevel || (what === 'venue' && state === 'offline')) tell(line.trim());
	};
	return pino({ level: 'info', base: {} }, { write });
}

/** Whether it came to be so within a time. */
async function until(is: () => boolean, withinMs: number): Promise<boolean> {
	const endMs = performance.now() + withinMs;
	while (!is() && performance.now() < endMs) await sleep(lookMs);
	return is();
}
