import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { nodeZlib } from '../../node/node-zlib.ts';
import { type Cursor, formatCursor } from '../../protocol/cursor.ts';
import type { ResponseOf } from '../../protocol/paths.ts';
import { packNumbers } from '../../protocol/snapshot.ts';
import type { SnapshotEvent, Store } from '../store.ts';

/** A snapshot is good for this long after it was made: a device reads the feed from its cursor in any case. */
export const snapshotFreshMs = 10_000;

/** A snapshot as it is sent. */
export interface PackedSnapshot {
	/** Strong validator: at one cursor a snapshot never changes. */
	readonly etag: string;
	/** Gzip of the JSON. */
	readonly body: Buffer;
}

/** The newest snapshot of a venue. */
export interface SnapshotCache {
	newest(): Promise<PackedSnapshot>;
	/** Tickets of an event that are revoked, as the newest snapshot says. */
	revoked(evt: string): Promise<readonly number[] | undefined>;
}

/** What the cache needs. */
export interface SnapshotOptions {
	readonly store: Pick<Store, 'snapshot' | 'events' | 'devices' | 'head'>;
	readonly venue: string;
	/** The newest key manifest, a JWS. */
	readonly manifest: () => Promise<string | undefined>;
	readonly nowMs: () => number;
}

interface Made extends PackedSnapshot {
	readonly cursor: Cursor;
	readonly madeMs: number;
	readonly events: readonly SnapshotEvent[];
}

/** Makes a cache that reads the store at most once at a time, however many devices ask. */
export function createSnapshotCache(options: SnapshotOptions): SnapshotCache {
	let made: Made | undefined;
	let making: Promise<Made> | undefined;
	const newest = async (): Promise<Made> => {
		if (making) return making;
		const head = await options.store.head(options.venue);
		if (made && head && isFresh(made, head, options.nowMs())) return made;
		making ??= make(options).finally(() => {
			making = undefined;
		});
		made = await making;
		return made;
	};
	return {
		newest,
		revoked: async (evt) => (await newest()).events.find((event) => event.evt === evt)?.revoked,
	};
}

function isFresh({ cursor, madeMs }: Made, head: Cursor, nowMs: number): boolean {
	if (cursor.epoch !== head.epoch) return false;
	const isHead = cursor.control === head.control && cursor.admissions === head.admissions;
	return isHead || (nowMs >= madeMs && nowMs - madeMs < snapshotFreshMs);
}

async function make({ store, venue, manifest, nowMs }: SnapshotOptions): Promise<Made> {
	const madeMs = nowMs();
	const { cursor, events, journals } = await store.snapshot(venue);
	// Rules and devices are read after the cursor, so they are never older than it; the feed then repeats a change.
	const [rules, devices] = [await store.events(venue), await store.devices(venue)];
	const policies = new Map(rules.map(({ evt, policy }) => [evt, policy]));
	const keys = await manifest();
	const content: ResponseOf<'snapshot'> = {
		cursor,
		events: await Promise.all(events.map((event) => packEvent(event, policies.get(event.evt)))),
		...(keys !== undefined && { keys }),
		devices: devices.flatMap(({ device, status }) => (status === 'active' ? [] : [{ device, status }])),
		journals: [...journals],
	};
	const body = await promisify(gzip)(JSON.stringify(content));
	return { cursor, madeMs, events, body, etag: `"${formatCursor(cursor)}"` };
}

async function packEvent(event: SnapshotEvent, policy: unknown): Promise<ResponseOf<'snapshot'>['events'][number]> {
	const byAllowance = new Map<string, [number, number, number, number][]>();
	for (const { allowance, idx, use, used, held } of event.counts) {
		const rows = byAllowance.get(allowance) ?? [];
		rows.push([idx, use, used, held]);
		byAllowance.set(allowance, rows);
	}
	return {
		evt: event.evt,
		policy,
		redeemed: await packNumbers(event.redeemed, nodeZlib),
		revoked: await packNumbers(event.revoked, nodeZlib),
		counts: [...byAllowance].map(([allowance, rows]) => ({ allowance, rows })),
	};
}
