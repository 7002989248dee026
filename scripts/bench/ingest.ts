import { openSegment } from '../../sync/protocol/segment-jws.ts';
import { rowHash } from '../../sync/server/row-hash.ts';
import type { Store, VenueSegment } from '../../sync/server/store.ts';
import { openPostgresStore } from '../../sync/server/stores/postgres.ts';
import { type PostgresServer, startPostgres } from '../../sync/server/testing/postgres.ts';
import type { Bench, Figure } from './figures.ts';
import { createJournalDevice, type JournalDevice, type SignedSegment } from './journals.ts';
import { openPlainTable, type PlainTable } from './plain-table.ts';
import { event, scatteredIdx } from './venue.ts';

/** Rows of a merged batch, the venues that they come from, and the shards that are pressed at once. */
interface Setting {
	readonly rows: number;
	readonly venues: number;
	readonly shards: number;
}

const settings: readonly Setting[] = [
	{ rows: 10, venues: 1, shards: 1 },
	{ rows: 100, venues: 5, shards: 1 },
	...[1, 2, 4, 8].map((shards) => ({ rows: 1_000, venues: 10, shards })),
];

/** Rows of one measurement, over all shards, after an eighth as many to warm up. */
const rowsFull = 24_000;
const rowsQuick = 8_000;

const shardsQuick = 2;

const budgetTimes = 3;

/**
 * CPU of a server and of PostgreSQL for a row of a journal: from the signed text to the durable commit, in batches
 * merged of several venues. Beside each batch its floor: the same rows in one plain table.
 */
export const ingest: Bench = async ({ quick, say }) => {
	const postgres = await startPostgres();
	try {
		const figures: Figure[] = [];
		for (const setting of settings.filter(({ shards }) => !quick || shards <= shardsQuick)) {
			say(`batches of ${setting.rows} rows of ${setting.venues} venues, ${setting.shards} shards`);
			figures.push(...(await measure(postgres, setting, quick ? rowsQuick : rowsFull)));
		}
		return figures;
	} finally {
		await postgres.stop();
	}
};

/** A database with its venues, and what it is sent. */
interface Shard {
	readonly store: Store;
	readonly plain: PlainTable;
	readonly batches: readonly (readonly Signed[])[];
}

interface Signed extends SignedSegment {
	readonly venue: string;
	readonly device: JournalDevice;
}

/** Rounds of a measurement: in each a part of the batches and then their floor, so that a busy machine slows both. */
const rounds = 8;

async function measure(postgres: PostgresServer, setting: Setting, rows: number): Promise<readonly Figure[]> {
	const perRound = Math.max(1, Math.ceil(rows / setting.rows / setting.shards / rounds));
	const shards = await Promise.all(
		Array.from({ length: setting.shards }, (_, at) =>
			openShard(postgres, setting, { at, batches: perRound * (rounds + 1) }),
		),
	);
	const spent = { opening: 0, ingest: 0, plain: 0 };
	for (let round = 0; round <= rounds; round += 1) {
		const [from, to] = [round * perRound, (round + 1) * perRound];
		const opened = shards.map((): VenueSegment[][] => []);
		const opening = await cpuOf(postgres, () =>
			each(shards, { from, to }, async ({ batches }, at, n) => {
				opened[n]?.push(await openAll(batches[at] ?? []));
			}),
		);
		const storing = await cpuOf(postgres, () =>
			each(shards, { from, to }, async ({ store }, at, n) => {
				await store.ingest(opened[n]?.[at - from] ?? []);
			}),
		);
		const plain = await cpuOf(postgres, () =>
			each(shards, { from, to }, ({ plain: table, batches }, at) =>
				table.insert((batches[at] ?? []).flatMap(plainRows)),
			),
		);
		if (round === 0) continue;
		spent.opening += opening;
		spent.ingest += storing;
		spent.plain += plain;
	}
	for (const { store, plain } of shards) {
		await store.close();
		await plain.close();
	}
	return figuresOf(setting, spent, perRound * rounds * setting.rows * setting.shards);
}

/** Runs batches of all shards: one after the other within a shard, all shards at once. */
async function each(
	shards: readonly Shard[],
	{ from, to }: { readonly from: number; readonly to: number },
	work: (shard: Shard, at: number, n: number) => Promise<void>,
): Promise<void> {
	await Promise.all(
		shards.map(async (shard, n) => {
			for (let at = from; at < to; at += 1) await work(shard, at, n);
		}),
	);
}

async function openShard(
	postgres: PostgresServer,
	{ rows, venues }: Setting,
	{ at, batches: count }: { readonly at: number; readonly batches: number },
): Promise<Shard> {
	const store = await openPostgresStore(await postgres.createDatabase());
	const plain = await openPlainTable(await postgres.createDatabase());
	const sources: Signing[] = [];
	for (let n = 0; n < venues; n += 1) sources.push(await openSource(store, `venue-${at}-${n}`));
	const batches: (readonly Signed[])[] = [];
	let next = 0;
	for (let made = 0; made < count; made += 1) {
		const batch: Signed[] = [];
		for (const { venue, device } of sources) {
			const tickets = Array.from({ length: rows / venues / 2 }, () => scatteredIdx(next++ % event.tickets));
			batch.push({ venue, device, ...(await device.segment(tickets)) });
		}
		batches.push(batch);
	}
	return { store, plain, batches };
}

interface Signing {
	readonly venue: string;
	readonly device: JournalDevice;
}

/** A venue with a million tickets and one device. */
async function openSource(store: Store, venue: string): Promise<Signing> {
	const atMs = Date.now();
	await store.createVenue({ id: venue, name: venue, server: 'centre', atMs });
	await store.putEvent(venue, { evt: event.evt, policy: { evt: event.evt } }, atMs);
	const order = { venue, evt: event.evt, order: 'all', cls: 'adult', count: event.tickets, use: 1, claims: {}, atMs };
	await store.issueOrder(order);
	const device = await createJournalDevice();
	await store.addEnrollmentCode({ venue, name: 'gate', codeHash: venue, expiresMs: atMs + 60_000 });
	await store.enroll({ codeHash: venue, jwk: device.publicKey, device: device.device, atMs });
	return { venue, device };
}

/** As the server does with what devices send: one signature check a segment. */
async function openAll(batch: readonly Signed[]): Promise<VenueSegment[]> {
	return Promise.all(
		batch.map(async ({ venue, device, jws }) => {
			const opened = await openSegment(jws, { device: device.device, key: device.publicKey, hash: rowHash });
			if (opened.kind === 'refused') throw new Error(`assertion failed: ${opened.detail}`);
			const { epoch: deviceEpoch, ...segment } = opened.segment;
			return { ...segment, venue, deviceEpoch, lastHash: opened.lastHash, jws, atMs: Date.now() };
		}),
	);
}

function plainRows({ venue, device: { device }, from, rows }: Signed) {
	return rows.map((text, index) => ({ venue, device, seq: from + index, text }));
}

/** CPU seconds of this process and of PostgreSQL while work is done. */
async function cpuOf(postgres: PostgresServer, work: () => Promise<void>): Promise<number> {
	const [before, database] = [process.cpuUsage(), postgres.cpuSeconds()];
	await work();
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1e6 + postgres.cpuSeconds() - database;
}

function figuresOf(
	{ rows, shards }: Setting,
	spent: { readonly opening: number; readonly ingest: number; readonly plain: number },
	count: number,
): readonly Figure[] {
	const name = `${rows} rows a batch, ${shards} ${shards === 1 ? 'shard' : 'shards'}`;
	const figure = (what: string, value: number, more: Partial<Figure> = {}): Figure => ({
		bench: 'ingest',
		what: `${name}: ${what}`,
		value,
		unit: 'µs',
		...more,
	});
	const perRow = (seconds: number) => (seconds / count) * 1e6;
	return [
		figure('signature and chain, a row', perRow(spent.opening)),
		figure('store, a row', perRow(spent.ingest)),
		figure('plain insert, a row', perRow(spent.plain)),
		figure('store over plain', spent.ingest / spent.plain, { unit: '×' }),
		figure('all over plain', (spent.opening + spent.ingest) / spent.plain, { unit: '×', budget: budgetTimes }),
	];
}
