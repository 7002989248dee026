import { sql } from 'kysely';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { dayBegin, quarterOf, type Room, roomOf } from '../capacity.ts';
import type { Presence, Store } from '../store.ts';
import { columns, type Database, later, names, readAtOnce, type Work } from './dialect.ts';
import type { NewRows } from './journal-heads.ts';
import { peopleFact } from './people-facts.ts';

/** Rules whose rooms are remembered. */
const rememberedMax = 1_000;

/** The people's part of a store. */
export function peopleMethods(database: Database): Pick<Store, 'presence'> {
	return { presence: (venue, evt, atMs) => readAtOnce(database, (work) => readPresence(work, { venue, evt, atMs })) };
}

const peopleColumns = columns('venue_id', 'evt', 'quarter:bigint', 'entered:bigint', 'gone:bigint');

/**
 * Counts the people of rows that are new here. A row says it by itself, so every store of a venue counts the same,
 * whoever grants and in whatever order rows come.
 */
export async function countPeople({ tx, dialect }: Work, fresh: readonly NewRows[]): Promise<void> {
	const counts = new Map<string, [venue: string, evt: string, quarter: number, entered: number, gone: number]>();
	for (const { segment, from } of fresh) {
		for (const text of segment.rows.slice(from - segment.from)) {
			const fact = peopleFact(text);
			if (fact === undefined || fact.entered + fact.left === 0) continue;
			const { venue } = segment;
			const quarter = quarterOf(fact.atMs);
			const key = `${venue}/${fact.evt}/${quarter}`;
			const [, , , entered, gone] = counts.get(key) ?? [venue, fact.evt, quarter, 0, 0];
			counts.set(key, [venue, fact.evt, quarter, entered + fact.entered, gone + fact.left]);
		}
	}
	if (counts.size === 0) return;
	await sql`${later}
		INSERT INTO people (${names(peopleColumns)})
		SELECT ${names(peopleColumns)} FROM ${dialect.given(peopleColumns, [...counts.values()])} WHERE true
		ON CONFLICT (venue_id, evt, quarter) DO UPDATE SET entered = people.entered + excluded.entered,
			gone = people.gone + excluded.gone`.execute(tx);
}

const heldColumns = columns('venue_id', 'evt', 'held:bigint');

/** Adds to the uses that are held of events, by `[venue, event, change]`. */
export async function addHeld(
	{ tx, dialect }: Work,
	changes: readonly (readonly [venue: string, evt: string, held: number])[],
): Promise<void> {
	const rows = changes.filter(([, , held]) => held !== 0);
	if (rows.length === 0) return;
	await sql`${later}
		INSERT INTO held_uses (${names(heldColumns)})
		SELECT ${names(heldColumns)} FROM ${dialect.given(heldColumns, rows)} WHERE true
		ON CONFLICT (venue_id, evt) DO UPDATE SET held = held_uses.held + excluded.held`.execute(tx);
}

/** Sums the held uses of a venue anew, where its rights were replaced. */
export async function recountHeld({ tx }: Work, venue: string): Promise<void> {
	await tx.deleteFrom('held_uses').where('venue_id', '=', venue).execute();
	await sql`
		INSERT INTO held_uses (venue_id, evt, held)
		SELECT venue_id, evt, sum(held) FROM rights WHERE venue_id = ${venue} AND held > 0
		GROUP BY venue_id, evt`.execute(tx);
}

/** An event of a venue. */
interface EventKey {
	readonly venue: string;
	readonly evt: string;
}

/** Free places of events with a capacity, counted down as they are taken. */
export interface Places {
	/** Takes places, or says that there are not so many. Events without a capacity have places without end. */
	take(event: EventKey, people: number): boolean;
}

/** Reads how many may still enter the events of claims, in locked venues. */
export type LoadPlaces = (work: Work, events: Iterable<EventKey>, atMs: number) => Promise<Places>;

/** Makes what reads places. It remembers rules, because the beginning of a day is looked for by the calendar. */
export function createLoadPlaces(): LoadPlaces {
	const known = new Map<string, { readonly quarter: number; readonly room: Room | undefined }>();
	const roomAt = (policy: string, atMs: number): Room | undefined => {
		const quarter = quarterOf(atMs);
		const kept = known.get(policy);
		if (kept?.quarter === quarter) return kept.room;
		const room = roomOf(JSON.parse(policy), atMs);
		if (known.size >= rememberedMax) known.clear();
		known.set(policy, { quarter, room });
		return room;
	};
	return async (work, events, atMs) => {
		const wanted = new Map([...events].map(({ venue, evt }) => [`${venue}/${evt}`, [venue, evt]]));
		const free = new Map<string, number>();
		for (const { venue_id: venue, evt, policy } of await readPolicies(work, [...wanted.values()])) {
			const room = roomAt(policy, atMs);
			if (room === undefined) continue;
			const { inside, held } = await countPresent(work, { venue, evt }, room.sinceQuarter);
			free.set(`${venue}/${evt}`, room.capacity - inside - held);
		}
		return placesOf(free);
	};
}

function placesOf(free: Map<string, number>): Places {
	return {
		take: ({ venue, evt }, people) => {
			const left = free.get(`${venue}/${evt}`);
			if (left === undefined) return true;
			if (people > left) return false;
			free.set(`${venue}/${evt}`, left - people);
			return true;
		},
	};
}

const eventColumns = columns('venue_id', 'evt');

interface PolicyRow {
	readonly venue_id: string;
	readonly evt: string;
	readonly policy: string;
}

async function readPolicies({ tx, dialect }: Work, events: readonly string[][]): Promise<readonly PolicyRow[]> {
	if (events.length === 0) return [];
	const { rows } = await sql<PolicyRow>`
		SELECT e.venue_id, e.evt, e.policy FROM ${dialect.given(eventColumns, events)}
		JOIN events e ON e.venue_id = given.venue_id AND e.evt = given.evt`.execute(tx);
	return rows;
}

async function readPresence(work: Work, { venue, evt, atMs }: EventKey & { readonly atMs: number }): Promise<Presence> {
	const [row] = await readPolicies(work, [[venue, evt]]);
	if (row === undefined) throw new StilewardError('event_unknown', `${venue} has no event ${evt}`);
	const policy: unknown = JSON.parse(row.policy);
	const { capacity } = roomOf(policy, atMs) ?? {};
	const { entered, left, inside, held } = await countPresent(work, { venue, evt }, dayBegin(policy, atMs));
	return { entered, left, inside, held, ...(capacity === undefined ? {} : { capacity }) };
}

/** People without a ticket are inside every event. More exits than entries are counting errors, not free places. */
async function countPresent(
	{ tx }: Work,
	{ venue, evt }: EventKey,
	sinceQuarter: number,
): Promise<Omit<Presence, 'capacity'>> {
	const { rows } = await sql<{ entered: number | null; gone: number | null; held: number | null }>`
		SELECT CAST(sum(entered) AS BIGINT) AS entered, CAST(sum(gone) AS BIGINT) AS gone,
			(SELECT held FROM held_uses WHERE venue_id = ${venue} AND evt = ${evt}) AS held
		FROM people WHERE venue_id = ${venue} AND evt IN (${evt}, '') AND quarter >= ${sinceQuarter}`.execute(tx);
	const entered = rows[0]?.entered ?? 0;
	const left = rows[0]?.gone ?? 0;
	return { entered, left, inside: Math.max(0, entered - left), held: rows[0]?.held ?? 0 };
}
