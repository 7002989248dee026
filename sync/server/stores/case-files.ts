import { sql } from 'kysely';
import type { Conflict, VenueSegment } from '../store.ts';
import { columns, later, names, type Work } from './dialect.ts';
import type { RedemptionKey } from './redemptions-table.ts';
import type { RightKey } from './rights-table.ts';

/** Passages that a person must look at: more than the ticket carries, or on a ticket that was refunded. */
export interface UseCase extends RightKey, RedemptionKey {
	readonly over: number;
	readonly refunded: boolean;
	readonly atMs: number;
}

interface CaseRow {
	readonly venue: string;
	readonly id: string;
	readonly kind: string;
	readonly about: RightKey | { readonly device: string };
	readonly over: number;
	readonly atMs: number;
}

const caseColumns = columns(
	...['venue_id', 'case_id', 'kind', 'evt', 'idx:bigint', 'allowance', 'device', 'over:bigint', 'opened_ms:bigint'],
);

/** Opens cases, or lets those that are open grow. One case an allowance, whose id says which. */
async function saveCases({ tx, dialect }: Work, cases: readonly CaseRow[]): Promise<void> {
	const newest = new Map(cases.map((each) => [`${each.venue}/${each.id}`, each]));
	const rows = [...newest.values()].map(({ venue, id, kind, about, over, atMs }) => {
		const what = 'device' in about ? [null, null, null, about.device] : [about.evt, about.idx, about.allowance, null];
		return [venue, id, kind, ...what, over, atMs];
	});
	await sql`${later}
		INSERT INTO cases (${names(caseColumns)})
		SELECT ${names(caseColumns)} FROM ${dialect.given(caseColumns, rows)} WHERE true
		ON CONFLICT (venue_id, case_id) DO UPDATE SET over = excluded.over`.execute(tx);
}

/** Opens the cases that passages of locked venues make, and files the redemptions that belong to them. */
export async function openUseCases(work: Work, found: readonly UseCase[]): Promise<void> {
	if (found.length === 0) return;
	const refunded = found.filter((each) => each.refunded).map((each) => useCase(each, 'refunded_after_entry'));
	const double = found.filter(({ over }) => over > 0).map((each) => useCase(each, 'double_entry'));
	await saveCases(work, [...refunded, ...double]);
	await fileRedemptions(work, [...refunded, ...double]);
}

function useCase(found: UseCase, kind: 'double_entry' | 'refunded_after_entry'): CaseRow & { about: RightKey } {
	const { venue, evt, idx, allowance, atMs } = found;
	const about = { venue, evt, idx, allowance };
	const over = kind === 'double_entry' ? found.over : 0;
	return { venue, id: `${kind}.${evt}.${idx}.${allowance}`, kind, about, over, atMs };
}

const fileColumns = columns('venue_id', 'case_id', 'evt', 'idx:bigint', 'allowance');

/** Every redemption that took a use of the allowance belongs to its case. */
async function fileRedemptions(
	{ tx, dialect }: Work,
	cases: readonly (CaseRow & { readonly about: RightKey })[],
): Promise<void> {
	const rows = [...new Map(cases.map((each) => [`${each.venue}/${each.id}`, each])).values()].map(
		({ venue, id, about: { evt, idx, allowance } }) => [venue, id, evt, idx, allowance],
	);
	await sql`${later}
		INSERT INTO case_redemptions (venue_id, case_id, device, redemption)
		SELECT r.venue_id, given.case_id, r.device, r.redemption FROM ${dialect.given(fileColumns, rows)}
		JOIN redemptions r ON r.venue_id = given.venue_id AND r.evt = given.evt AND r.idx = given.idx
			AND r.allowance = given.allowance AND r.taken_n IS NOT NULL
		WHERE true ON CONFLICT (venue_id, device, redemption, case_id) DO NOTHING`.execute(tx);
}

/** Opens the cases of devices whose journal forked or went back. */
export async function openDeviceCases(
	work: Work,
	found: readonly { readonly segment: VenueSegment; readonly why: 'fork' | 'rollback' }[],
): Promise<void> {
	if (found.length === 0) return;
	await saveCases(
		work,
		found.map(({ segment: { venue, device, atMs }, why }) => {
			const kind = why === 'fork' ? 'cloned_device' : 'restored_disk';
			return { venue, id: `${kind}.${device}`, kind, about: { device }, over: 0, atMs };
		}),
	);
}

const deviceColumns = columns('venue_id', 'device');

/** The redemptions of devices that are part of an open case, by `venue/device`. */
export async function loadConflicts(
	{ tx, dialect }: Work,
	devices: readonly { readonly venue: string; readonly device: string }[],
): Promise<ReadonlyMap<string, readonly Conflict[]>> {
	const wanted = new Map(devices.map(({ venue, device }) => [`${venue}/${device}`, [venue, device]]));
	const { rows } = await sql<{ venue_id: string; device: string; redemption: string; case_id: string }>`
		SELECT f.venue_id, f.device, f.redemption, f.case_id FROM ${dialect.given(deviceColumns, [...wanted.values()])}
		JOIN case_redemptions f ON f.venue_id = given.venue_id AND f.device = given.device
		JOIN cases c ON c.venue_id = f.venue_id AND c.case_id = f.case_id
		WHERE c.closed_over IS NULL OR c.closed_over < c.over
		ORDER BY f.case_id, f.redemption`.execute(tx);
	const conflicts = Map.groupBy(rows, ({ venue_id, device }) => `${venue_id}/${device}`);
	return new Map(
		[...conflicts].map(([device, list]) => {
			return [device, list.map(({ redemption, case_id }) => ({ redemption, case: case_id }))];
		}),
	);
}
