import { type Kysely, type SqlBool, sql } from 'kysely';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { Dialect } from './dialect.ts';

/** The tables, as the queries see them. Every key begins with the venue; times are milliseconds since 1970. */
export interface Tables {
	venues: {
		venue_id: string;
		name: string;
		created_ms: number;
		/** The newest key manifest that a hub has followed; a centre has its own in its key folder. */
		manifest: string | null;
	};
	heads: {
		venue_id: string;
		epoch: number;
		authority: string;
		control: number;
		admissions: number;
		/** Why this store grants nothing more: 1 a device has shown a higher cursor, 2 it came back from a backup. */
		behind: number;
		/** The id of the server whose store this is. */
		self: string;
		/** 1 while this server grants and numbers in this epoch; else it follows the one that does. */
		grants: number;
		/** What this store is to others: 0 there are none, 1 hubs follow it, 2 it is a hub's. */
		role: number;
		/** The newest segment or branch, in the order of arrival. */
		arrivals: number;
		/** Older entries of the logs are not here: this store began with another one's counts. */
		control_from: number;
		admissions_from: number;
	};
	epochs: {
		venue_id: string;
		epoch: number;
		server: string;
		/** The last number of its admissions log, once nothing more comes. */
		ended: number | null;
		/** 1 where an operator ended it without its authority. */
		abandoned: number;
		/** Which instance of a hub began it; each epoch is begun once. */
		begun: string | null;
		/** At a hub: 1 once the centre knows that it has all of it. */
		closed: number;
	};
	counted: { venue_id: string; device: string; device_epoch: string; through: number };
	hubs: {
		venue_id: string;
		device: string;
		server: string;
		jwk: string;
		enrolled_ms: number;
		last_seen_ms: number | null;
		/** Its newest contact. */
		contact: string | null;
		/** What it said of itself at the last contact, as JSON. */
		report: string | null;
	};
	upstream: {
		venue_id: string;
		/** The newest own segment that the centre has, by arrival here. */
		sent: number;
		/** The newest segment of the centre that is here, by arrival there, and up to which it sends all of them. */
		received: number;
		all_through: number;
		/** How far the centre has the log of `epoch`. */
		epoch: number;
		admissions: number;
		/** Ids of the contacts of this hub, as JSON, the newest last. */
		contacts: string;
	};
	control_log: { venue_id: string; n: number; at_ms: number; change: string };
	admission_log: { venue_id: string; epoch: number; n: number; change: string };
	rights: {
		venue_id: string;
		evt: string;
		idx: number;
		allowance: string;
		use: number;
		used: number;
		held: number;
		taken: number;
		last_lane: string | null;
		last_ms: number | null;
	};
	redemptions: {
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
		state: string;
		taken: number;
		returned: number;
		/** The entry of the admissions log that first took a use: the authority's order. */
		taken_epoch: number | null;
		taken_n: number | null;
		/** What a denied claim was told, as JSON. */
		answer: string | null;
		/** Device epoch of the journal that a claim was made for. */
		claim_journal: string | null;
		/** Who granted it by hand and why, and who ended it by hand; as the journal says. */
		granted_by: string | null;
		reason: string | null;
		ended_by: string | null;
	};
	revoked_pages: { venue_id: string; evt: string; page: number; bits: Uint8Array };
	segments: {
		venue_id: string;
		device: string;
		device_epoch: string;
		from_seq: number;
		to_seq: number;
		/** 32 bytes for each row. */
		hashes: Uint8Array;
		jws: string;
		at_ms: number;
		/** Its place in the order of arrival; 0 from before another server followed. */
		arrival: number;
		/** The server that it came through; null where the device itself brought it. */
		via: string | null;
		/** 0 while the authority has not counted it. */
		counted: number;
	};
	branches: {
		venue_id: string;
		device: string;
		device_epoch: string;
		from_seq: number;
		last_hash: string;
		jws: string;
		at_ms: number;
		arrival: number;
		via: string | null;
	};
	devices: {
		venue_id: string;
		device: string;
		name: string;
		jwk: string;
		status: string;
		device_epoch: string | null;
		accepted_through: number;
		head_hash: string | null;
		enrolled_ms: number;
		last_seen_ms: number | null;
		/** The newest report, as JSON. */
		report: string | null;
		report_ms: number | null;
		/** Entry of the control log that it had applied when it last had no row to push. */
		synced_control: number;
	};
	enrollment_codes: {
		venue_id: string;
		code_hash: string;
		name: string;
		expires_ms: number;
		spent_ms: number | null;
		replaces: number;
		/** 1 for the code of a hub. */
		hub: number;
	};
	events: { venue_id: string; evt: string; policy: string };
	counters: { venue_id: string; evt: string; next_idx: number };
	orders: {
		venue_id: string;
		order_id: string;
		evt: string;
		cls: string;
		from_idx: number;
		size: number;
		use: number;
		claims: string;
		status: string;
		issued_ms: number;
		revoked_ms: number | null;
		/** The newest entry of the control log that revoked some of it. */
		revoked_n: number | null;
	};
	leases: { venue_id: string; evt: string; from_idx: number; to_idx: number; holder: string; at_ms: number };
	/** People who went in and out, by the quarter of an hour since 1970; `evt` is empty for those without a ticket. */
	people: { venue_id: string; evt: string; quarter: number; entered: number; gone: number };
	/** The sum of `rights.held` of each event. */
	held_uses: { venue_id: string; evt: string; held: number };
	cases: {
		venue_id: string;
		case_id: string;
		kind: string;
		evt: string | null;
		idx: number | null;
		allowance: string | null;
		device: string | null;
		over: number;
		opened_ms: number;
		closed_text: string | null;
		closed_by: string | null;
		closed_ms: number | null;
		closed_over: number | null;
	};
	case_redemptions: { venue_id: string; case_id: string; device: string; redemption: string };
	/** Configurations of gates, by the name of the gate. */
	gate_configs: {
		venue_id: string;
		gate: string;
		version: number;
		text: string;
		sha256: string;
		note: string;
		pushed_by: string;
		at_ms: number;
		/** The version whose text it is, where an operator went back to it. */
		copy_of: number | null;
	};
}

/**
 * Conditions of partial indexes. They stand in a statement's own text, because behind a parameter no planner recognizes them.
 */
export const partial = {
	arrived: sql<SqlBool>`arrival > 0`,
	uncounted: sql<SqlBool>`counted = 0`,
	claimed: sql<SqlBool>`state = 'claimed'`,
} as const;

/**
 * The schema, step by step. Steps are only ever added: a server that was off for a year runs those it has missed, and
 * an older program refuses a database that has more of them than it knows. `BIGINT` and `BLOB` are each dialect's own;
 * small rows are kept in key order where the dialect can (`CLUSTERED`).
 */
const migrations: readonly (readonly string[])[] = [
	[
		`CREATE TABLE venues (venue_id TEXT PRIMARY KEY, name TEXT NOT NULL, created_ms BIGINT NOT NULL) CLUSTERED`,
		`CREATE TABLE heads (venue_id TEXT PRIMARY KEY, epoch BIGINT NOT NULL, authority TEXT NOT NULL,
			control BIGINT NOT NULL, admissions BIGINT NOT NULL, behind BIGINT NOT NULL) CLUSTERED`,
		`CREATE TABLE control_log (venue_id TEXT NOT NULL, n BIGINT NOT NULL, at_ms BIGINT NOT NULL,
			change TEXT NOT NULL, PRIMARY KEY (venue_id, n)) CLUSTERED`,
		`CREATE TABLE admission_log (venue_id TEXT NOT NULL, epoch BIGINT NOT NULL, n BIGINT NOT NULL,
			change TEXT NOT NULL, PRIMARY KEY (venue_id, epoch, n)) CLUSTERED`,
		`CREATE TABLE rights (venue_id TEXT NOT NULL, evt TEXT NOT NULL, idx BIGINT NOT NULL, allowance TEXT NOT NULL,
			use BIGINT NOT NULL, used BIGINT NOT NULL CHECK (used >= 0), held BIGINT NOT NULL CHECK (held >= 0),
			taken BIGINT NOT NULL, last_lane TEXT, last_ms BIGINT,
			PRIMARY KEY (venue_id, evt, idx, allowance)) CLUSTERED`,
		`CREATE TABLE redemptions (venue_id TEXT NOT NULL, device TEXT NOT NULL, redemption TEXT NOT NULL,
			evt TEXT NOT NULL, idx BIGINT NOT NULL, allowance TEXT NOT NULL, uses BIGINT NOT NULL,
			reentry BIGINT NOT NULL, rung TEXT NOT NULL, lane TEXT NOT NULL, at_ms BIGINT NOT NULL,
			state TEXT NOT NULL, taken BIGINT NOT NULL, returned BIGINT NOT NULL, taken_epoch BIGINT,
			taken_n BIGINT, answer TEXT, PRIMARY KEY (venue_id, device, redemption)) CLUSTERED`,
		`CREATE INDEX redemptions_of_ticket ON redemptions (venue_id, evt, idx)`,
		`CREATE INDEX redemptions_open ON redemptions (venue_id, device) WHERE state = 'claimed'`,
		`CREATE TABLE revoked_pages (venue_id TEXT NOT NULL, evt TEXT NOT NULL, page BIGINT NOT NULL,
			bits BLOB NOT NULL, PRIMARY KEY (venue_id, evt, page))`,
		`CREATE TABLE segments (venue_id TEXT NOT NULL, device TEXT NOT NULL, device_epoch TEXT NOT NULL,
			from_seq BIGINT NOT NULL, to_seq BIGINT NOT NULL, hashes BLOB NOT NULL, jws TEXT NOT NULL,
			at_ms BIGINT NOT NULL, PRIMARY KEY (venue_id, device, device_epoch, from_seq))`,
		`CREATE TABLE branches (venue_id TEXT NOT NULL, device TEXT NOT NULL, device_epoch TEXT NOT NULL,
			from_seq BIGINT NOT NULL, last_hash TEXT NOT NULL, jws TEXT NOT NULL, at_ms BIGINT NOT NULL,
			PRIMARY KEY (venue_id, device, device_epoch, from_seq, last_hash))`,
		`CREATE TABLE devices (venue_id TEXT NOT NULL, device TEXT NOT NULL, name TEXT NOT NULL, jwk TEXT NOT NULL,
			status TEXT NOT NULL, device_epoch TEXT, accepted_through BIGINT NOT NULL, head_hash TEXT,
			enrolled_ms BIGINT NOT NULL, last_seen_ms BIGINT, PRIMARY KEY (venue_id, device)) CLUSTERED`,
		`CREATE TABLE enrollment_codes (venue_id TEXT NOT NULL, code_hash TEXT NOT NULL, name TEXT NOT NULL,
			expires_ms BIGINT NOT NULL, spent_ms BIGINT, PRIMARY KEY (venue_id, code_hash)) CLUSTERED`,
		`CREATE INDEX enrollment_codes_by_hash ON enrollment_codes (code_hash)`,
		`CREATE TABLE events (venue_id TEXT NOT NULL, evt TEXT NOT NULL, policy TEXT NOT NULL,
			PRIMARY KEY (venue_id, evt))`,
		`CREATE TABLE counters (venue_id TEXT NOT NULL, evt TEXT NOT NULL, next_idx BIGINT NOT NULL,
			PRIMARY KEY (venue_id, evt)) CLUSTERED`,
		`CREATE TABLE orders (venue_id TEXT NOT NULL, order_id TEXT NOT NULL, evt TEXT NOT NULL, cls TEXT NOT NULL,
			from_idx BIGINT NOT NULL, size BIGINT NOT NULL, use BIGINT NOT NULL, claims TEXT NOT NULL,
			status TEXT NOT NULL, issued_ms BIGINT NOT NULL, revoked_ms BIGINT, PRIMARY KEY (venue_id, order_id))`,
		`CREATE UNIQUE INDEX orders_of_numbers ON orders (venue_id, evt, from_idx)`,
		`CREATE TABLE leases (venue_id TEXT NOT NULL, evt TEXT NOT NULL, from_idx BIGINT NOT NULL,
			to_idx BIGINT NOT NULL, holder TEXT NOT NULL, at_ms BIGINT NOT NULL,
			PRIMARY KEY (venue_id, evt, from_idx)) CLUSTERED`,
		`CREATE TABLE cases (venue_id TEXT NOT NULL, case_id TEXT NOT NULL, kind TEXT NOT NULL, evt TEXT, idx BIGINT,
			allowance TEXT, device TEXT, over BIGINT NOT NULL, opened_ms BIGINT NOT NULL, closed_text TEXT,
			closed_by TEXT, closed_ms BIGINT, closed_over BIGINT, PRIMARY KEY (venue_id, case_id)) CLUSTERED`,
		`CREATE TABLE case_redemptions (venue_id TEXT NOT NULL, case_id TEXT NOT NULL, device TEXT NOT NULL,
			redemption TEXT NOT NULL, PRIMARY KEY (venue_id, device, redemption, case_id)) CLUSTERED`,
		`CREATE INDEX case_redemptions_of_case ON case_redemptions (venue_id, case_id)`,
	],
	[`ALTER TABLE redemptions ADD COLUMN claim_journal TEXT`],
	[
		// Only cases ask by ticket, and only for passages. An index over all rows was, to a planner that knows nothing of an
		// empty table yet, as good as the key: each redemption was then looked for among all of its venue.
		'DROP INDEX redemptions_of_ticket',
		'CREATE INDEX redemptions_taken ON redemptions (venue_id, evt, idx) WHERE taken_n IS NOT NULL',
	],
	[
		`ALTER TABLE devices ADD COLUMN report TEXT`,
		`ALTER TABLE devices ADD COLUMN report_ms BIGINT`,
		`ALTER TABLE devices ADD COLUMN synced_control BIGINT NOT NULL DEFAULT 0`,
		`ALTER TABLE orders ADD COLUMN revoked_n BIGINT`,
		`ALTER TABLE enrollment_codes ADD COLUMN replaces BIGINT NOT NULL DEFAULT 0`,
	],
	[
		`CREATE TABLE people (venue_id TEXT NOT NULL, evt TEXT NOT NULL, quarter BIGINT NOT NULL,
			entered BIGINT NOT NULL, gone BIGINT NOT NULL, PRIMARY KEY (venue_id, evt, quarter)) CLUSTERED`,
		`CREATE TABLE held_uses (venue_id TEXT NOT NULL, evt TEXT NOT NULL, held BIGINT NOT NULL,
			PRIMARY KEY (venue_id, evt)) CLUSTERED`,
		`INSERT INTO held_uses (venue_id, evt, held)
			SELECT venue_id, evt, sum(held) FROM rights WHERE held > 0 GROUP BY venue_id, evt`,
	],
	[
		`ALTER TABLE venues ADD COLUMN manifest TEXT`,
		`ALTER TABLE heads ADD COLUMN self TEXT NOT NULL DEFAULT 'centre'`,
		`ALTER TABLE heads ADD COLUMN grants BIGINT NOT NULL DEFAULT 1`,
		`ALTER TABLE heads ADD COLUMN role BIGINT NOT NULL DEFAULT 0`,
		`ALTER TABLE heads ADD COLUMN arrivals BIGINT NOT NULL DEFAULT 0`,
		`ALTER TABLE heads ADD COLUMN control_from BIGINT NOT NULL DEFAULT 0`,
		`ALTER TABLE heads ADD COLUMN admissions_from BIGINT NOT NULL DEFAULT 0`,
		`ALTER TABLE segments ADD COLUMN arrival BIGINT NOT NULL DEFAULT 0`,
		`ALTER TABLE segments ADD COLUMN via TEXT`,
		`ALTER TABLE segments ADD COLUMN counted BIGINT NOT NULL DEFAULT 1`,
		`CREATE INDEX segments_arrived ON segments (venue_id, arrival) WHERE arrival > 0`,
		`CREATE INDEX segments_uncounted ON segments (venue_id, arrival) WHERE counted = 0`,
		`ALTER TABLE branches ADD COLUMN arrival BIGINT NOT NULL DEFAULT 0`,
		`ALTER TABLE branches ADD COLUMN via TEXT`,
		`CREATE INDEX branches_arrived ON branches (venue_id, arrival) WHERE arrival > 0`,
		`ALTER TABLE enrollment_codes ADD COLUMN hub BIGINT NOT NULL DEFAULT 0`,
		`CREATE TABLE epochs (venue_id TEXT NOT NULL, epoch BIGINT NOT NULL, server TEXT NOT NULL, ended BIGINT,
			abandoned BIGINT NOT NULL, begun TEXT, closed BIGINT NOT NULL, PRIMARY KEY (venue_id, epoch)) CLUSTERED`,
		`CREATE TABLE counted (venue_id TEXT NOT NULL, device TEXT NOT NULL, device_epoch TEXT NOT NULL,
			through BIGINT NOT NULL, PRIMARY KEY (venue_id, device, device_epoch)) CLUSTERED`,
		`CREATE TABLE hubs (venue_id TEXT NOT NULL, device TEXT NOT NULL, server TEXT NOT NULL, jwk TEXT NOT NULL,
			enrolled_ms BIGINT NOT NULL, last_seen_ms BIGINT, contact TEXT, report TEXT,
			PRIMARY KEY (venue_id, device))`,
		`CREATE TABLE upstream (venue_id TEXT PRIMARY KEY, sent BIGINT NOT NULL, received BIGINT NOT NULL,
			all_through BIGINT NOT NULL, epoch BIGINT NOT NULL, admissions BIGINT NOT NULL,
			contacts TEXT NOT NULL) CLUSTERED`,
	],
	[
		`ALTER TABLE redemptions ADD COLUMN granted_by TEXT`,
		`ALTER TABLE redemptions ADD COLUMN reason TEXT`,
		`ALTER TABLE redemptions ADD COLUMN ended_by TEXT`,
		// What staff are asked about beside passages. Few rows stay in it, and no other query has its condition.
		`CREATE INDEX redemptions_not_taken ON redemptions (venue_id, evt, idx)
			WHERE taken_n IS NULL AND state IN ('granted', 'settled')`,
	],
	[
		// The key finds all segments that a device ever sent, and each is a text of kilobytes before what it is asked for.
		`CREATE INDEX segments_uncounted_of ON segments (venue_id, device, device_epoch, to_seq) WHERE counted = 0`,
	],
	[
		`CREATE TABLE gate_configs (venue_id TEXT NOT NULL, gate TEXT NOT NULL, version BIGINT NOT NULL,
			text TEXT NOT NULL, sha256 TEXT NOT NULL, note TEXT NOT NULL, pushed_by TEXT NOT NULL,
			at_ms BIGINT NOT NULL, copy_of BIGINT, PRIMARY KEY (venue_id, gate, version))`,
	],
];

/** The schema that this program writes. */
export const schemaVersion = migrations.length;

/** Brings a database to the newest schema, in one transaction. Throws `store_newer`. */
export async function migrate(db: Kysely<Tables>, dialect: Dialect): Promise<void> {
	await db.transaction().execute(async (tx) => {
		await dialect.lockSchema?.(tx);
		await sql`CREATE TABLE IF NOT EXISTS schema_steps (step INTEGER PRIMARY KEY)`.execute(tx);
		const { rows } = await sql<{ step: number }>`SELECT step FROM schema_steps`.execute(tx);
		const known = rows.length;
		if (known > migrations.length) {
			throw new StilewardError(
				'store_newer',
				`the database has schema ${known}; this program knows up to ${migrations.length}`,
			);
		}
		for (const [index, statements] of migrations.entries()) {
			if (index < known) continue;
			for (const text of statements) await sql.raw(dialect.ddl(text)).execute(tx);
			await sql`INSERT INTO schema_steps (step) VALUES (${index + 1})`.execute(tx);
		}
	});
}
