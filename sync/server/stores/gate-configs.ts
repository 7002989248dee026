import { createHash } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { ControlChange } from '../../protocol/feed.ts';
import { type GateConfigFacts, type GateConfigs, gateConfigsKept } from '../gate-configs.ts';
import { type Database, transact, type Work } from './dialect.ts';
import { lockVenue, logControl } from './heads.ts';
import type { Tables } from './schema.ts';

const factColumns = ['gate', 'version', 'sha256', 'note', 'pushed_by', 'at_ms', 'copy_of'] as const;

/** The part of a store that keeps configurations of gates. */
export function gateConfigMethods(database: Database): GateConfigs {
	const { db } = database;
	return {
		putGateConfig: (push) => transact(database, (work) => putConfig(work, push)),
		gateConfig: async (venue, gate, version) => {
			const row = await db
				.selectFrom('gate_configs')
				.select([...factColumns, 'text'])
				.where('venue_id', '=', venue)
				.where('gate', '=', gate)
				.$if(version !== undefined, (query) => query.where('version', '=', version ?? 0))
				.orderBy('version', 'desc')
				.limit(1)
				.executeTakeFirst();
			return row && { ...factsOf(row), text: row.text };
		},
		gateConfigHistory: async (venue, gate) => {
			const rows = await db
				.selectFrom('gate_configs')
				.select(factColumns)
				.where('venue_id', '=', venue)
				.where('gate', '=', gate)
				.orderBy('version', 'desc')
				.execute();
			return rows.map(factsOf);
		},
		newestGateConfigs: async (venue) => {
			const rows = await db
				.selectFrom('gate_configs as c')
				.select(factColumns)
				.where('c.venue_id', '=', venue)
				.where('c.version', '=', ({ selectFrom }) =>
					selectFrom('gate_configs as n')
						.select(({ fn }) => fn.max('n.version').as('newest'))
						.where('n.venue_id', '=', venue)
						.whereRef('n.gate', '=', 'c.gate'),
				)
				.orderBy('c.gate')
				.execute();
			return rows.map(factsOf);
		},
	};
}

async function putConfig(work: Work, push: Parameters<GateConfigs['putGateConfig']>[0]): Promise<GateConfigFacts> {
	const { venue, gate, text, note, by, copyOf, atMs } = push;
	await lockVenue(work, venue);
	const version = (await newestVersion(work, venue, gate)) + 1;
	const sha256 = createHash('sha256').update(text).digest('base64url');
	const row = { gate, version, sha256, note, pushed_by: by, at_ms: atMs, copy_of: copyOf ?? null };
	await work.tx
		.insertInto('gate_configs')
		.values({ venue_id: venue, ...row, text })
		.execute();
	await work.tx
		.deleteFrom('gate_configs')
		.where('venue_id', '=', venue)
		.where('gate', '=', gate)
		.where('version', '<=', version - gateConfigsKept)
		.execute();
	const devices = await work.tx
		.selectFrom('devices')
		.select('device')
		.where('venue_id', '=', venue)
		.where('name', '=', gate)
		.where('status', '!=', 'disabled')
		.execute();
	const changes = devices.map(({ device }): ControlChange => ({ kind: 'config', device, version, sha256 }));
	await logControl(work, { venue, changes, atMs });
	return factsOf(row);
}

async function newestVersion({ tx }: Work, venue: string, gate: string): Promise<number> {
	const row = await tx
		.selectFrom('gate_configs')
		.select('version')
		.where('venue_id', '=', venue)
		.where('gate', '=', gate)
		.orderBy('version', 'desc')
		.limit(1)
		.executeTakeFirst();
	return row?.version ?? 0;
}

function factsOf(row: Pick<Selectable<Tables['gate_configs']>, (typeof factColumns)[number]>): GateConfigFacts {
	const { gate, version, sha256, note, pushed_by, at_ms, copy_of } = row;
	return {
		...{ gate, version, sha256, note, by: pushed_by, atMs: at_ms },
		...(copy_of === null ? {} : { copyOf: copy_of }),
	};
}
