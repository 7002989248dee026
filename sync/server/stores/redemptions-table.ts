import { sql } from 'kysely';
import type { Redemption } from '../rights.ts';
import { columns, later, names, type Work } from './dialect.ts';
import type { RightKey } from './rights-table.ts';

/** Which redemption. Ids are each device's own, so that no device can speak of another's. */
export interface RedemptionKey {
	readonly venue: string;
	readonly device: string;
	readonly redemption: string;
}

/** A redemption as it is kept. */
export interface RedemptionRecord extends RedemptionKey, RightKey, Redemption {
	readonly rung: string;
	readonly lane: string;
	readonly atMs: number;
	/** The entry of the admissions log that first took a use. */
	readonly takenAt?: { readonly epoch: number; readonly n: number };
	/** What a denied claim was told, as JSON. */
	readonly answer?: string;
	/** Device epoch of the journal that a claim was made for. */
	readonly claimJournal?: string;
	/** Who granted it by hand and why, and who ended it by hand. */
	readonly grantedBy?: string;
	readonly reason?: string;
	readonly endedBy?: string;
}

/** One text for each redemption. */
export function redemptionText({ venue, device, redemption }: RedemptionKey): string {
	return `${venue}/${device}/${redemption}`;
}

const keyColumns = columns('venue_id', 'device', 'redemption');

const recordColumns = columns(
	...['venue_id', 'device', 'redemption', 'evt', 'idx:bigint', 'allowance', 'uses:bigint', 'reentry:bigint', 'rung'],
	...['lane', 'at_ms:bigint', 'state', 'taken:bigint', 'returned:bigint', 'taken_epoch:bigint', 'taken_n:bigint'],
	...['answer', 'claim_journal', 'granted_by', 'reason', 'ended_by'],
);

interface Row {
	venue_id: string;
	device: string;
	redemption: string;
	evt: string;
	idx: number;
	allowance: string;
	uses: number;
	reentry: number;
	rung: string;
	lane: string;
	at_ms: number;
	// Written by `saveRedemptions` alone.
	state: Redemption['state'];
	taken: number;
	returned: number;
	taken_epoch: number | null;
	taken_n: number | null;
	answer: string | null;
	claim_journal: string | null;
	granted_by: string | null;
	reason: string | null;
	ended_by: string | null;
}

/** Reads redemptions of locked venues, by their texts. */
export async function loadRedemptions(
	{ tx, dialect }: Work,
	keys: Iterable<RedemptionKey>,
): Promise<Map<string, RedemptionRecord>> {
	const wanted = new Map([...keys].map((key) => [redemptionText(key), [key.venue, key.device, key.redemption]]));
	if (wanted.size === 0) return new Map();
	const picked = sql.join(recordColumns.map(({ name }) => sql.ref(`r.${name}`)));
	const { rows } = await sql<Row>`
		SELECT ${picked} FROM ${dialect.given(keyColumns, [...wanted.values()])}
		JOIN redemptions r ON r.venue_id = given.venue_id AND r.device = given.device
			AND r.redemption = given.redemption`.execute(tx);
	return new Map(rows.map(recordOf).map((record) => [redemptionText(record), record]));
}

function recordOf(row: Row): RedemptionRecord {
	const { venue_id, reentry, at_ms, taken_epoch, taken_n, answer, claim_journal, ...others } = row;
	const { granted_by, reason, ended_by, ...rest } = others;
	return {
		...rest,
		venue: venue_id,
		reentry: reentry === 1,
		atMs: at_ms,
		...(taken_epoch === null || taken_n === null ? {} : { takenAt: { epoch: taken_epoch, n: taken_n } }),
		...(answer === null ? {} : { answer }),
		...(claim_journal === null ? {} : { claimJournal: claim_journal }),
		...(granted_by === null ? {} : { grantedBy: granted_by }),
		...(reason === null ? {} : { reason }),
		...(ended_by === null ? {} : { endedBy: ended_by }),
	};
}

/** Writes redemptions, new or changed. */
export async function saveRedemptions({ tx, dialect }: Work, records: readonly RedemptionRecord[]): Promise<void> {
	if (records.length === 0) return;
	const rows = records.map((record) => [
		...[record.venue, record.device, record.redemption, record.evt, record.idx, record.allowance, record.uses],
		...[record.reentry ? 1 : 0, record.rung, record.lane, record.atMs, record.state, record.taken, record.returned],
		...[record.takenAt?.epoch ?? null, record.takenAt?.n ?? null, record.answer ?? null, record.claimJournal ?? null],
		...[record.grantedBy ?? null, record.reason ?? null, record.endedBy ?? null],
	]);
	const kept = new Set(keyColumns.map(({ name }) => name));
	const changes = recordColumns
		.filter(({ name }) => !kept.has(name))
		.map(({ name }) => sql`${sql.ref(name)} = ${sql.ref(`excluded.${name}`)}`);
	await sql`${later}
		INSERT INTO redemptions (${names(recordColumns)})
		SELECT ${names(recordColumns)} FROM ${dialect.given(recordColumns, rows)} WHERE true
		ON CONFLICT (venue_id, device, redemption) DO UPDATE SET ${sql.join(changes)}`.execute(tx);
}
