import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { Claim, ClaimAnswer } from '../protocol/claims.ts';
import { type Cursor, formatCursor } from '../protocol/cursor.ts';
import { feedEntriesMax } from '../protocol/feed.ts';
import type { ResponseOf } from '../protocol/paths.ts';
import { type DeviceJournal, journalOf } from '../server/testing/device-journal.ts';
import { type Answer, bodyOf } from './answer.suite.ts';
import { claimOf, type Device } from './device.suite.ts';
import { evt, type Venue } from './venue.suite.ts';

/** Ticket numbers of the load begin here: those of an issuer that works offline, so that none must be sold first. */
const firstIdx = 1_000_000;

/** How often whoever found no server looks again, and for how long. */
const againMs = 20;
const patienceMs = 60_000;

/** An entry of a log, as JSON, by its number. */
export type Log = Map<number, string>;

/** What a server has answered for, through all its lives. */
export interface Acknowledged {
	readonly claims: { readonly device: Device; readonly claim: Claim; readonly answer: ClaimAnswer }[];
	/** The row up to which each device was told that its journal is there. */
	readonly through: Map<string, number>;
	readonly orders: { readonly order: string; readonly idx: readonly number[] }[];
	/** What the feed has shown, of each log. */
	readonly feed: { readonly control: Log; readonly admissions: Log };
}

/** Devices that press, a seller and a follower, who all ask again until they are answered. */
export interface Load {
	readonly acknowledged: Acknowledged;
	readonly journals: ReadonlyMap<string, DeviceJournal>;
	/** Resolves once so many more claims, segments and orders have been answered. */
	more(claims: number): Promise<void>;
	/** Lets everybody finish what was begun; rejects with what went wrong for any of them. */
	finish(): Promise<void>;
}

/** Starts a load. Devices come in pairs that claim the same tickets, so that half of the claims are denied. */
export function startLoad(venue: Venue, devices: readonly Device[], follower: Device): Load {
	const acknowledged: Acknowledged = {
		...{ claims: [], through: new Map(), orders: [] },
		feed: { control: new Map(), admissions: new Map() },
	};
	const journals = new Map(devices.map(({ id }) => [id, journalOf(venue.id, id)]));
	const stopped = new AbortController();
	const { signal } = stopped;
	const failures: unknown[] = [];
	const loops = [
		...devices.map((device, at) => {
			return press({ device, journal: journals.get(device.id) as DeviceJournal, acknowledged, pair: at >> 1, signal });
		}),
		sell(venue, acknowledged, signal),
		follow(follower, acknowledged, signal),
	].map((loop) => loop.catch((error: unknown) => void failures.push(error)));
	return {
		acknowledged,
		journals,
		more: async (count) => {
			const { claims, orders } = acknowledged;
			const wanted = { claims: claims.length + count, orders: orders.length + 1 };
			while (claims.length < wanted.claims || orders.length < wanted.orders) {
				if (failures.length > 0) throw failures[0];
				await sleep(2);
			}
		},
		finish: async () => {
			stopped.abort();
			await Promise.all(loops);
			if (failures.length > 0) throw failures[0];
		},
	};
}

/** Asks until a server has answered. What no server has decided is asked again as it was. */
async function untilAnswered(ask: () => Promise<Answer>): Promise<Answer> {
	const endMs = performance.now() + patienceMs;
	for (;;) {
		const answer = await ask().catch((error: unknown) => {
			if (error instanceof StilewardError && error.code === 'server_unreachable') return undefined;
			throw error;
		});
		if (answer !== undefined && answer.status < 500) return answer;
		if (performance.now() > endMs) throw new Error(`no answer but ${JSON.stringify(answer)}`);
		await sleep(againMs);
	}
}

async function press(load: {
	readonly device: Device;
	readonly journal: DeviceJournal;
	readonly acknowledged: Acknowledged;
	readonly pair: number;
	readonly signal: AbortSignal;
}): Promise<void> {
	const { device, journal, acknowledged, pair, signal } = load;
	for (let idx = firstIdx + pair * 100_000; !signal.aborted; idx++) {
		const claim = claimOf(idx);
		const claimed = await untilAnswered(() => device.call('claims', { claims: [claim] }));
		const [answer] = bodyOf<ResponseOf<'claims'>>(claimed).answers;
		if (answer === undefined) throw new Error('a claim must have an answer');
		acknowledged.claims.push({ device, claim, answer });
		if (answer.result !== 'granted') continue;
		const from = journal.rows.length + 1;
		journal.admit({ idx, redemption: claim.redemption, rung: 'authority', taken: 1 });
		const pushed = await untilAnswered(() => device.push(journal.segment(from)));
		const { acceptedThrough, status } = bodyOf<ResponseOf<'segments'>>(pushed);
		expect({ acceptedThrough, status }).toEqual({ acceptedThrough: journal.rows.length, status: 'active' });
		acknowledged.through.set(device.id, acceptedThrough);
	}
}

async function sell(venue: Venue, { orders }: Acknowledged, signal: AbortSignal): Promise<void> {
	while (!signal.aborted) {
		const order = `L-${orders.length}`;
		const idx = await issued(venue, order);
		orders.push({ order, idx });
		await sleep(againMs);
	}
}

/** The ticket numbers of an order of three: asked again, the same order gives the same. */
export async function issued(venue: Venue, order: string): Promise<readonly number[]> {
	const body = { order, evt, cls: 'adult', count: 3, claims: { nbf: 0, exp: 4_000_000_000 } };
	for (let attempt = 0; attempt < 100; attempt++) {
		const answer = await untilAnswered(() => venue.office({ method: 'POST', path: '/v1/office/orders', body }));
		const lines = bodyOf<string>(answer).trimEnd().split('\n');
		// Without its last line the answer broke off.
		if (lines.at(-1) !== '{"done":true}') continue;
		return lines.slice(1, -1).map((line) => (JSON.parse(line) as { idx: number }).idx);
	}
	throw new Error(`order ${order} was never answered to its end`);
}

async function follow(device: Device, { feed }: Acknowledged, signal: AbortSignal): Promise<void> {
	let next: Cursor = { epoch: 1, control: 0, admissions: 0 };
	while (!signal.aborted) {
		const request = { since: formatCursor(next), waitMs: 500 };
		const page = bodyOf<ResponseOf<'feed'>>(await untilAnswered(() => device.call('feed', request)));
		for (const { log, n, change } of page.entries) {
			expect(n).toBe(feed[log].size + 1);
			feed[log].set(n, JSON.stringify(change));
		}
		next = page.next;
	}
}

/** Reads both logs of the venue from their beginning. */
export async function readLogs(device: Device): Promise<Acknowledged['feed']> {
	const logs: Acknowledged['feed'] = { control: new Map(), admissions: new Map() };
	let next: Cursor = { epoch: 1, control: 0, admissions: 0 };
	for (;;) {
		const page = bodyOf<ResponseOf<'feed'>>(await device.call('feed', { since: formatCursor(next) }));
		for (const { log, n, change } of page.entries) {
			expect(n).toBe(logs[log].size + 1);
			logs[log].set(n, JSON.stringify(change));
		}
		next = page.next;
		expect(page.entries.length).toBeLessThanOrEqual(feedEntriesMax);
		if (page.entries.length === 0) return logs;
	}
}
