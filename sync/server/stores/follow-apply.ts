import { sql } from 'kysely';
import { Check } from 'typebox/value';
import { type ControlChange, controlChangeSchema } from '../../protocol/feed.ts';
import type { HubDevice, HubFollowPage } from '../../protocol/hub.ts';
import type { Followed, Replication, Standing } from '../replication.ts';
import { releaseClaims } from './claims.ts';
import { columns, type Database, names, transact, type Work } from './dialect.ts';
import { moveOn, putEpoch, setEnded } from './epochs.ts';
import { storeAdmissions } from './follow-log.ts';
import { entryHash } from './follow-page.ts';
import { lockVenue, numbers } from './heads.ts';
import { noteAllCounted } from './pending.ts';
import { setRevoked } from './revocations.ts';

type FollowMethods = 'followed' | 'storeFollowed' | 'putDevice' | 'manifest';

/** The part of a hub's store that follows its centre. */
export function followApplyMethods(database: Database): Pick<Replication, FollowMethods> {
	const { db } = database;
	return {
		followed: (venue) => readFollowed(database, venue),
		storeFollowed: (followed) => transact(database, (work) => storeFollowed(work, followed)),
		putDevice: (venue, device) => transact(database, (work) => putDevices(work, venue, [device])),
		manifest: async (venue) => {
			const row = await db.selectFrom('venues').select('manifest').where('venue_id', '=', venue).executeTakeFirst();
			return row?.manifest ?? undefined;
		},
	};
}

async function readFollowed({ db }: Database, venue: string): Promise<Followed | undefined> {
	const row = await db
		.selectFrom('heads as h')
		.innerJoin('upstream as u', 'u.venue_id', 'h.venue_id')
		.leftJoin('control_log as c', (join) => join.onRef('c.venue_id', '=', 'h.venue_id').onRef('c.n', '=', 'h.control'))
		.select(['h.epoch', 'h.control', 'h.admissions', 'u.received', 'u.all_through', 'c.change'])
		.where('h.venue_id', '=', venue)
		.executeTakeFirst();
	if (row === undefined) return undefined;
	const { epoch, control, admissions, received, all_through, change } = row;
	const controlHash = change === null ? {} : { controlHash: entryHash(change) };
	return { epoch, control, admissions, arrival: received, all: all_through, ...controlHash };
}

const deviceColumns = columns(
	'venue_id',
	'device',
	'name',
	'jwk',
	'status',
	'accepted_through:bigint',
	'enrolled_ms:bigint',
);

/** Writes devices as the centre knows them; how far their journals are here stays. */
export async function putDevices(work: Work, venue: string, devices: readonly HubDevice[]): Promise<void> {
	if (devices.length === 0) return;
	const rows = devices.map(({ device, name, jwk, status, enrolledMs }) => {
		return [venue, device, name, JSON.stringify(jwk), status, 0, enrolledMs];
	});
	await sql`
		INSERT INTO devices (${names(deviceColumns)})
		SELECT ${names(deviceColumns)} FROM ${work.dialect.given(deviceColumns, rows)} WHERE true
		ON CONFLICT (venue_id, device) DO UPDATE SET name = excluded.name, status = excluded.status`.execute(work.tx);
}

async function storeFollowed(
	work: Work,
	{ venue, page, arrival, atMs }: Parameters<Replication['storeFollowed']>[0],
): Promise<Standing> {
	const before = await lockVenue(work, venue);
	if (page.control.some(({ n }, index) => n !== before.control + 1 + index)) return { kind: 'state_needed' };
	await putDevices(work, venue, page.devices);
	for (const { change } of page.control) await applyControl(work, { venue, text: change, atMs });
	await appendControl(work, venue, page.control);
	if (page.admissions.length > 0) {
		const head = await lockVenue(work, venue);
		const stored = await storeAdmissions(work, { venue, head, epoch: before.epoch, entries: page.admissions });
		if (stored.kind !== 'stored') return { kind: 'state_needed' };
	}
	for (const epoch of page.epochs) await putEpoch(work, venue, epoch);
	await work.tx.updateTable('upstream').set({ received: arrival }).where('venue_id', '=', venue).execute();
	const moved = await moveOn(work, venue);
	if (moved.kind === 'diverged') return { kind: 'state_needed' };
	const { epoch, authority, self, grants } = await lockVenue(work, venue);
	const isNamed = moved.kind === 'current' && authority === self && !grants;
	return isNamed
		? { kind: 'named', epoch, settled: await isSettled(work, venue, { epoch, self }) }
		: { kind: 'current' };
}

/** Whether the centre knows how every earlier epoch of this hub ended. */
async function isSettled(
	{ tx }: Work,
	venue: string,
	{ epoch, self }: { readonly epoch: number; readonly self: string },
): Promise<boolean> {
	const open = await tx
		.selectFrom('epochs')
		.select('epoch')
		.where('venue_id', '=', venue)
		.where('server', '=', self)
		.where('epoch', '<', epoch)
		.where('closed', '=', 0)
		.limit(1)
		.executeTakeFirst();
	return open === undefined;
}

interface ControlEntry {
	readonly venue: string;
	readonly text: string;
	readonly atMs: number;
}

async function applyControl(work: Work, { venue, text, atMs }: ControlEntry): Promise<void> {
	const change: unknown = JSON.parse(text);
	// What a newer centre says goes on to newer devices; this hub has nothing to do about it.
	if (!Check(controlChangeSchema, change)) return;
	await applyChange(work, { venue, change, atMs });
}

async function applyChange(
	work: Work,
	{ venue, change, atMs }: { readonly venue: string; readonly change: ControlChange; readonly atMs: number },
): Promise<void> {
	switch (change.kind) {
		case 'policy':
			return putPolicies(work, venue, [change]);
		case 'revoked':
		case 'restored':
			return void (await setRevoked(work, { venue, ...change }));
		case 'keys':
			await work.tx.updateTable('venues').set({ manifest: change.manifest }).where('venue_id', '=', venue).execute();
			return;
		case 'release': {
			if (!numbers(await lockVenue(work, venue))) return;
			await releaseClaims(work, { venue, device: change.device, redemptions: change.redemptions, atMs });
			return;
		}
		case 'authority':
			return nameAuthority(work, venue, change);
		case 'device':
		case 'command':
		case 'config':
			return;
	}
}

/** From this transaction on a hub that granted grants no more, and its log of that epoch has its last number. */
async function nameAuthority(
	work: Work,
	venue: string,
	change: ControlChange & { readonly kind: 'authority' },
): Promise<void> {
	const head = await lockVenue(work, venue);
	await putEpoch(work, venue, { epoch: head.epoch, server: head.authority });
	await putEpoch(work, venue, change);
	if (!head.grants) return;
	// A store that lost something does not know what the last number is.
	if (numbers(head)) {
		await setEnded(work, { venue, epoch: head.epoch, admissions: head.admissions });
		await noteAllCounted(work, venue);
	}
	await work.tx.updateTable('heads').set({ grants: 0 }).where('venue_id', '=', venue).execute();
}

/** Writes the rules of events. */
export async function putPolicies(
	work: Work,
	venue: string,
	events: readonly { readonly evt: string; readonly policy: unknown }[],
): Promise<void> {
	for (const { evt, policy } of events) {
		await work.tx
			.insertInto('events')
			.values({ venue_id: venue, evt, policy: JSON.stringify(policy ?? null) })
			.onConflict((conflict) =>
				conflict.columns(['venue_id', 'evt']).doUpdateSet({ policy: sql.ref('excluded.policy') }),
			)
			.execute();
	}
}

const logColumns = columns('venue_id', 'n:bigint', 'at_ms:bigint', 'change');

async function appendControl(work: Work, venue: string, control: HubFollowPage['control']): Promise<void> {
	const last = control.at(-1);
	if (last === undefined) return;
	const rows = control.map(({ n, atMs, change }) => [venue, n, atMs, change]);
	await sql`
		INSERT INTO control_log (${names(logColumns)})
		SELECT ${names(logColumns)} FROM ${work.dialect.given(logColumns, rows)}`.execute(work.tx);
	await work.tx.updateTable('heads').set({ control: last.n }).where('venue_id', '=', venue).execute();
}
