import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import Type from 'typebox';
import { Check } from 'typebox/value';
import { decodeBase45, encodeBase45 } from '../../gate-agent/core/base45.ts';
import { assert } from '../../gate-agent/core/errors.ts';
import { type ClassPolicy, classPolicyDefaults, type Policy } from '../../gate-agent/core/policy.ts';
import { ticketId } from '../../gate-agent/core/ticket.ts';
import { compactPrefix } from '../../gate-agent/core/ticket-compact.ts';
import { publicMode, readIfThere, writeDurably } from '../../sync/server/durable-file.ts';
import type { OrderInput } from '../../sync/server/http/office-schemas.ts';
import type { SampleName } from './page/practice-wire.ts';
import type { PracticeOffice } from './practice-office.ts';

/** The event whose tickets the practice admits. */
export const practiceEvent = 'lantern-2026';

/** A code that a visitor holds in the hand. */
export interface SampleCode {
	readonly code: string;
	/** Its number; absent for what is not a ticket. */
	readonly idx?: number;
}

/** One code for each sample. */
export type SampleCodes = Readonly<Record<SampleName, SampleCode>>;

/** A set of samples, as the server issued it. */
export interface SampleTickets {
	readonly evt: string;
	/** Order number of the tickets that the server's panel shows. */
	readonly order: string;
	readonly codes: SampleCodes;
	/** Changes with every set. */
	readonly version: number;
}

/** Where the samples are issued, and where the practice keeps which set is in hand. */
export interface SamplesSource {
	readonly office: PracticeOffice;
	readonly dir: string;
	readonly nowMs: number;
}

const dayMs = 24 * 3_600_000;

/** Tickets begin this much before they are printed: the clocks of gates need not agree with ours to the second. */
const earlyMs = 60_000;

/** A set that is older is issued anew at the next start: it must last for a day of practice. */
const setAgeMaxMs = dayMs / 2;

const setSchema = Type.Object({
	/** Counts the sets of this folder: part of their order numbers. */
	set: Type.Integer({ minimum: 1 }),
	fromMs: Type.Integer({ minimum: 0 }),
});

const setFile = 'samples.json';

interface SampleOrder extends Pick<OrderInput, 'cls' | 'use' | 'claims'> {
	readonly samples: readonly Exclude<SampleName, 'payment'>[];
	readonly fromDays?: number;
}

const orders: Readonly<Record<string, SampleOrder>> = {
	adult: {
		cls: 'adult',
		samples: ['adult', 'adult_b', 'adult_c'],
		claims: { seat: 'A 区 12 排 {n} 座' },
	},
	used: { cls: 'adult', samples: ['used'], claims: {} },
	group: { cls: 'group', use: 3, samples: ['group'], claims: {} },
	child: { cls: 'child', samples: ['child'], claims: {} },
	student: { cls: 'student', samples: ['student'], claims: {} },
	tomorrow: { cls: 'adult', fromDays: 1, samples: ['tomorrow'], claims: {} },
	elsewhere: { cls: 'adult', samples: ['elsewhere'], claims: { zon: ['north_gate'] } },
	forged: { cls: 'adult', samples: ['forged'], claims: {} },
};

const classes: Readonly<Record<string, Partial<ClassPolicy>>> = {
	adult: {},
	child: { lane: 'cue', cue: 'check_height' },
	student: { lane: 'confirm', cue: 'check_id' },
	group: { group: 'run' },
};

/** Puts the event on sale, unless the server has it with these rules already. */
export async function ensureEvent(office: PracticeOffice, timeZone: string): Promise<void> {
	const rulesOf = ([name, rules]: [string, Partial<ClassPolicy>]) => [name, { ...classPolicyDefaults, ...rules }];
	const policy: Policy = {
		...{ evt: practiceEvent, timeZone, dayStartsAtMinutes: 0, unknownClass: 'admit', sessions: {} },
		classes: Object.fromEntries(Object.entries(classes).map(rulesOf)),
	};
	const { events } = await office.call({ method: 'GET', path: '/events' });
	// The server's answer has this form.
	const known = (events as readonly { readonly evt: string; readonly policy: unknown }[]).find(
		({ evt }) => evt === practiceEvent,
	);
	if (isDeepStrictEqual(known?.policy, policy)) return;
	await office.call({ method: 'PUT', path: `/events/${practiceEvent}`, body: { policy } });
}

/** The set in hand, issued again and so the same; a new one where there is none or it is about to expire. */
export async function openSamples(source: SamplesSource): Promise<SampleTickets> {
	const kept = await keptSet(source.dir);
	if (kept === undefined || source.nowMs - kept.fromMs > setAgeMaxMs) return newSamples(source);
	return issueSet(source.office, kept);
}

/** A new set, of numbers that were never issued before. */
export async function newSamples({ office, dir, nowMs }: SamplesSource): Promise<SampleTickets> {
	const set = { set: ((await keptSet(dir))?.set ?? 0) + 1, fromMs: nowMs };
	// Written first: an order number that was asked for once must ask for the same tickets for ever.
	await writeDurably(join(dir, setFile), JSON.stringify(set), publicMode);
	return issueSet(office, set);
}

async function keptSet(dir: string): Promise<Type.Static<typeof setSchema> | undefined> {
	const text = await readIfThere(join(dir, setFile));
	if (text === undefined) return undefined;
	const value: unknown = JSON.parse(text);
	return Check(setSchema, value) ? value : undefined;
}

async function issueSet(
	office: PracticeOffice,
	{ set, fromMs }: Type.Static<typeof setSchema>,
): Promise<SampleTickets> {
	const orderOf = (name: string) => `practice-${set}-${name}`;
	const issued = await Promise.all(
		Object.entries(orders).map(([name, order]) => issueOrder(office, { ...order, order: orderOf(name), fromMs })),
	);
	// The table of orders has every sample but the payment code, once.
	const tickets = Object.fromEntries(issued.flat()) as Record<Exclude<SampleName, 'payment'>, SampleCode>;
	const codes: SampleCodes = {
		...tickets,
		forged: { ...tickets.forged, code: forge(tickets.forged.code) },
		payment: { code: `13${String(fromMs).padStart(16, '0').slice(-16)}` },
	};
	return { evt: practiceEvent, order: orderOf('adult'), codes, version: fromMs };
}

async function issueOrder(
	office: PracticeOffice,
	{ order, cls, use, claims, samples, fromDays = 0, fromMs }: SampleOrder & { order: string; fromMs: number },
): Promise<readonly (readonly [string, SampleCode])[]> {
	const startMs = fromMs + fromDays * dayMs - earlyMs;
	const window = { nbf: Math.floor(startMs / 1000), exp: Math.floor((startMs + dayMs) / 1000) };
	const body: OrderInput = {
		...{ order, evt: practiceEvent, cls, count: samples.length, claims: { ...claims, ...window } },
		...(use !== undefined && { use }),
	};
	const [, ...lines] = await office.lines({ method: 'POST', path: '/orders', body });
	assert(lines.length === samples.length, 'an order has a line for each ticket');
	return samples.map((name, at) => {
		const { ticket, idx } = lines[at] ?? {};
		assert(typeof ticket === 'string' && typeof idx === 'number', 'a line of an order is a ticket');
		return [name, { code: ticket, idx }];
	});
}

/** The same ticket with one bit of its signature turned: what a forger without the key can make at best. */
function forge(code: string): string {
	const bytes = decodeBase45(code.slice(compactPrefix.length));
	const at = (bytes?.length ?? 0) - 20;
	assert(bytes !== undefined && at > 0, 'an issued ticket is base45');
	bytes[at] = (bytes[at] ?? 0) ^ 1;
	return compactPrefix + encodeBase45(bytes);
}

/** The identity of a sample ticket; undefined for what is not one. */
export function idOf({ idx }: SampleCode) {
	return idx === undefined ? undefined : ticketId(practiceEvent, idx);
}
