import { assert, StilewardError } from '../../../gate-agent/core/errors.ts';
import { applyOutcome, overUse, type Verdict } from '../rights.ts';
import type { SegmentOutcome, Store, VenueHead, VenueSegment } from '../store.ts';
import { type LogEntry, type LoggedChange, logAdmissions } from './admissions.ts';
import { loadConflicts, openDeviceCases, openUseCases, type UseCase } from './case-files.ts';
import { type Database, transact, type Work } from './dialect.ts';
import { groupCommit } from './group-commit.ts';
import { type LockedHead, lockVenues, logControl, numbers } from './heads.ts';
import { type RedemptionFact, redemptionFact } from './journal-facts.ts';
import {
	hashOf,
	type JournalState,
	type Judgement,
	judgeSegment,
	knownRows,
	loadJournals,
	type NewRows,
	saveBranches,
	saveJournals,
	saveSegments,
} from './journal-heads.ts';
import { countPeople } from './people.ts';
import {
	loadRedemptions,
	type RedemptionKey,
	type RedemptionRecord,
	redemptionText,
	saveRedemptions,
} from './redemptions-table.ts';
import { loadRevoked, loadRights, type RightKey, type RightsFold, type TicketKey } from './rights-table.ts';

/** Segments in one transaction: of about a thousand rows each, so that no transaction grows without end. */
const segmentsMax = 16;

/** The segments' part of a store. */
export function ingestMethods(database: Database): Pick<Store, 'ingest'> {
	return {
		ingest: groupCommit({
			commit: (segments: readonly VenueSegment[]) => transact(database, (work) => ingest(work, segments)),
			itemsMax: segmentsMax,
			writersMax: database.dialect.writersMax,
		}),
	};
}

/** Takes segments in, in one transaction. */
export async function ingest(work: Work, segments: readonly VenueSegment[]): Promise<readonly SegmentOutcome[]> {
	const heads = await lockVenues(
		work,
		segments.map(({ venue }) => venue),
	);
	const journals = await loadJournals(work, segments);
	const judged = await judgeAll(work, segments, journals);
	const fresh = judged.flatMap(({ fresh: rows }) => (rows === undefined ? [] : [rows]));
	const counting = ({ venue }: VenueSegment) => numbers(heads.get(venue));
	await saveSegments(work, fresh, { heads, counting });
	await countPeople(work, fresh);
	const counted = fresh.filter(({ segment }) => counting(segment));
	await applyRows(
		work,
		counted.map((each) => ({ ...each, facts: factsOf(each) })),
		heads,
	);
	await saveBranches(
		work,
		judged.filter(({ outcome }) => outcome.kind === 'quarantined').map(({ segment }) => segment),
		heads,
	);
	await announceQuarantine(work, judged, heads);
	await openDeviceCases(
		work,
		judged.flatMap(({ segment, outcome }) => {
			return outcome.kind === 'quarantined' ? [{ segment, why: outcome.why }] : [];
		}),
	);
	await saveJournals(work, journals);
	const conflicts = await loadConflicts(work, segments);
	return judged.map(({ segment, outcome }) => {
		if (outcome.kind !== 'accepted') return outcome;
		return { ...outcome, conflicts: conflicts.get(`${segment.venue}/${segment.device}`) ?? [] };
	});
}

/** Hubs hear of a device whose journal forked; what a hub itself finds reaches its centre with the segment. */
async function announceQuarantine(
	work: Work,
	judged: readonly Judged[],
	heads: ReadonlyMap<string, LockedHead>,
): Promise<void> {
	const news = judged.filter(({ segment, isNews }) => isNews && heads.get(segment.venue)?.role === 'centre');
	for (const { segment } of news) {
		const { venue, device, atMs } = segment;
		await logControl(work, { venue, changes: [{ kind: 'device', device, status: 'quarantined' }], atMs });
	}
}

interface Judged {
	readonly segment: VenueSegment;
	readonly outcome: SegmentOutcome;
	readonly fresh?: NewRows;
	/** Whether it put its device into quarantine. */
	readonly isNews?: boolean;
}

/** Judges segments in the order given: each is compared with the journal as those before it left it. */
async function judgeAll(
	work: Work,
	segments: readonly VenueSegment[],
	journals: Map<string, JournalState>,
): Promise<readonly Judged[]> {
	const judged: Judged[] = [];
	const fresh: NewRows[] = [];
	for (const segment of segments) {
		const state = journals.get(`${segment.venue}/${segment.device}`);
		if (state === undefined) throw new StilewardError('device_unknown', `${segment.venue} has no such device`);
		const judgement = await judgeSegment(segment, state.head, knownRows(work, segment, fresh));
		const one = accept(segment, state, judgement);
		if (one.fresh !== undefined) fresh.push(one.fresh);
		judged.push(one);
	}
	return judged;
}

/** Moves a device's journal on, or quarantines the device, and says what became of the segment. */
function accept(segment: VenueSegment, state: JournalState, judgement: Judgement): Judged {
	state.seenMs = Math.max(state.seenMs, segment.atMs);
	switch (judgement.kind) {
		case 'follows': {
			const { deviceEpoch, to, lastHash } = segment;
			const skipped = segment.rows.length - judgement.rows;
			const before = state.head.deviceEpoch;
			const fresh = {
				...{ segment, from: segment.from + skipped, hashes: judgement.hashes.subarray(skipped * 32) },
				replaces: before !== undefined && before !== deviceEpoch,
			};
			assert(hashOf(fresh.hashes, judgement.rows - 1) === lastHash, 'the last new row ends the segment');
			state.head = { deviceEpoch, acceptedThrough: to, hash: lastHash };
			return { segment, fresh, outcome: { kind: 'accepted', acceptedThrough: to, conflicts: [] } };
		}
		case 'known':
			return { segment, outcome: { kind: 'accepted', acceptedThrough: judgement.acceptedThrough, conflicts: [] } };
		case 'gap':
			return { segment, outcome: judgement };
		case 'fork':
		case 'rollback': {
			const isNews = state.status === 'active' || state.status === 'successor';
			if (isNews) state.status = 'quarantined';
			const { acceptedThrough } = state.head;
			return { segment, isNews, outcome: { kind: 'quarantined', acceptedThrough, why: judgement.kind } };
		}
	}
}

/** A journal row that says something of a redemption. */
export interface Row {
	readonly key: RedemptionKey;
	readonly fact: RedemptionFact;
	readonly row: { readonly deviceEpoch: string; readonly seq: number };
}

/** Rows of one segment on their way to the rights. */
export interface SegmentRows {
	readonly segment: Pick<VenueSegment, 'venue' | 'device' | 'atMs'>;
	readonly facts: readonly Row[];
	/** Whether a new journal begins with it, where the device had another one. */
	readonly replaces: boolean;
}

/** Applies rows to the rights, in order, gives their changes the next numbers and writes each changed thing once. */
export async function applyRows(
	work: Work,
	parts: readonly SegmentRows[],
	heads: ReadonlyMap<string, VenueHead>,
): Promise<void> {
	const rows = parts.flatMap(({ facts }) => facts);
	const left = await openGrants(
		work,
		parts.filter(({ replaces }) => replaces).map(({ segment }) => segment),
	);
	if (rows.length + left.length === 0) return;
	const { fold, rights } = await openFold(work, rows, left);
	for (const { segment, facts, replaces } of parts) {
		// Whoever begins a new journal may still know how grants of the one before ended.
		const open = replaces ? fold.openOf(segment) : [];
		for (const row of facts) fold.apply(row);
		for (const text of open) fold.assume(text, segment.atMs);
	}
	await writeFold(work, fold, await logAdmissions(work, fold.changes, heads));
	await rights.save();
}

/** Grants of devices that are here without their end. Few devices begin a journal anew, so no index is kept for it. */
async function openGrants({ tx }: Work, devices: readonly SegmentRows['segment'][]): Promise<readonly RedemptionKey[]> {
	const open: RedemptionKey[] = [];
	for (const { venue, device } of devices) {
		const rows = await tx
			.selectFrom('redemptions')
			.select('redemption')
			.where('venue_id', '=', venue)
			.where('device', '=', device)
			.where('state', '=', 'granted')
			.execute();
		for (const { redemption } of rows) open.push({ venue, device, redemption });
	}
	return open;
}

/** Reads what rows are about, and further redemptions. */
export async function openFold(
	work: Work,
	rows: readonly Row[],
	others: readonly RedemptionKey[] = [],
): Promise<{ readonly fold: RowsFold; readonly rights: RightsFold }> {
	const known = await loadRedemptions(work, [...rows.map(({ key }) => key), ...others]);
	const tickets: RightKey[] = [...known.values()];
	for (const { key, fact } of rows) if (fact.grant !== undefined) tickets.push({ venue: key.venue, ...fact.grant });
	const rights = await loadRights(work, tickets);
	return { fold: new RowsFold(known, rights), rights };
}

function factsOf({ segment, from }: NewRows): readonly Row[] {
	const { rows, to } = segment;
	const skipped = from - segment.from;
	assert(rows.length - skipped === to - from + 1, 'a segment has a row for each number');
	return rows.slice(skipped).flatMap((text, index) => factOf(segment, from + index, text) ?? []);
}

/** What one row of a device's journal says of a redemption; undefined for every other row. */
export function factOf(
	{ venue, device, deviceEpoch }: Pick<VenueSegment, 'venue' | 'device' | 'deviceEpoch'>,
	seq: number,
	text: string,
): Row | undefined {
	const fact = redemptionFact(text);
	return fact && { key: { venue, device, redemption: fact.redemption }, fact, row: { deviceEpoch, seq } };
}

/** A change and, where passages came with it, what a case may have to say about them. */
export interface Change extends LoggedChange {
	readonly passages: number;
	readonly over: number;
}

/**
 * What a claim hears that arrives once more after its device has given it back: it would hold a use for a redemption that
 * no row will ever end.
 */
const givenBack = JSON.stringify({ result: 'denied', reason: 'in_progress' } satisfies Verdict);

/** Redemptions and rights in memory while rows are applied to them. */
export class RowsFold {
	readonly changes: Change[] = [];
	readonly touched = new Set<string>();
	readonly known: Map<string, RedemptionRecord>;
	readonly #rights: RightsFold;

	constructor(known: Map<string, RedemptionRecord>, rights: RightsFold) {
		this.known = known;
		this.#rights = rights;
	}

	apply({ key, fact, row }: Row): void {
		const before = this.known.get(redemptionText(key));
		const { grant } = fact;
		const target = grant === undefined ? before : { venue: key.venue, ...grant };
		if (target === undefined) return;
		const moved = before !== undefined && !sameRight(before, target);
		// A claim for something else than what the device then did holds nothing any more.
		if (moved && before.state === 'claimed') this.#change({ before, outcome: { kind: 'released' }, fact, row });
		if (moved && (before.state === 'granted' || before.state === 'settled')) return;
		const base = before === undefined || moved ? newRecord(key, target, fact) : before;
		this.#change({ before: base, outcome: fact.outcome, fact, row, isNew: before === undefined || moved });
	}

	/** Gives a claim back that staff have released. */
	release(text: string, atMs: number): void {
		if (this.known.get(text)?.state === 'claimed') this.#end(text, { kind: 'released' }, atMs);
	}

	/** Redemptions of a segment's device that are granted and not ended. */
	openOf({ venue, device }: Pick<VenueSegment, 'venue' | 'device'>): readonly string[] {
		return [...this.known].flatMap(([text, record]) => {
			const isOpen = record.venue === venue && record.device === device && record.state === 'granted';
			return isOpen ? [text] : [];
		});
	}

	/** Ends a grant whose journal never goes on as a crash does: nobody knows who passed, so all of them count. */
	assume(text: string, atMs: number): void {
		const before = this.known.get(text);
		if (before?.state !== 'granted') return;
		const { uses, reentry, lane } = before;
		this.#end(text, { kind: 'settled', taken: reentry ? 1 : uses, back: 0, late: false, lane, atMs }, atMs);
	}

	/** Ends what no row of its device ends. */
	#end(text: string, outcome: RedemptionFact['outcome'], atMs: number): void {
		const before = this.known.get(text);
		assert(before, 'only what is known is ended');
		const { venue, evt, idx, allowance } = before;
		const key = { venue, evt, idx, allowance };
		const applied = applyOutcome(this.#rights.get(key, 1), before, outcome);
		assert(applied, 'an open redemption can be ended');
		const { right, passages } = applied;
		this.#rights.set(key, right);
		this.known.set(text, { ...before, ...applied.redemption });
		this.touched.add(text);
		this.changes.push({ record: before, right, atMs, passages, over: overUse(right) });
	}

	#change(change: {
		readonly before: RedemptionRecord;
		readonly outcome: RedemptionFact['outcome'];
		readonly fact: RedemptionFact;
		readonly row: Row['row'];
		readonly isNew?: boolean;
	}): void {
		const { before, outcome, fact, row, isNew = false } = change;
		const { venue, evt, idx, allowance } = before;
		const key = { venue, evt, idx, allowance };
		const right = this.#rights.get(key, fact.grant?.use ?? 1);
		const applied = applyOutcome(right, isNew ? undefined : before, outcome);
		if (applied === undefined) return;
		this.#rights.set(key, applied.right);
		const text = redemptionText(before);
		// A grant that the device itself made says by which rung, where and when.
		const said = fact.grant === undefined ? {} : { rung: fact.grant.rung, lane: fact.lane, atMs: fact.atMs };
		const end = outcome.kind === 'released' ? { answer: givenBack } : {};
		this.known.set(text, { ...before, ...applied.redemption, ...said, ...end, ...personOf(fact) });
		this.touched.add(text);
		const record = { ...before, lane: fact.lane };
		const { passages } = applied;
		this.changes.push({ record, right: applied.right, row, atMs: fact.atMs, passages, over: overUse(applied.right) });
	}
}

/** What the journal says of the person behind it. */
function personOf({ grant, by, reason }: RedemptionFact): Pick<RedemptionRecord, 'grantedBy' | 'reason' | 'endedBy'> {
	if (grant === undefined) return by === undefined ? {} : { endedBy: by };
	return { ...(by !== undefined && { grantedBy: by }), ...(reason !== undefined && { reason }) };
}

function sameRight(a: RightKey, b: RightKey): boolean {
	return a.evt === b.evt && a.idx === b.idx && a.allowance === b.allowance;
}

function newRecord(key: RedemptionKey, { evt, idx, allowance }: RightKey, fact: RedemptionFact): RedemptionRecord {
	const { lane, atMs, grant } = fact;
	const nothing = { state: 'granted', uses: 0, reentry: false, taken: 0, returned: 0 } as const;
	return { ...key, evt, idx, allowance, rung: grant?.rung ?? 'local', lane, atMs, ...nothing };
}

/** Notes which entry of the log took a use first, writes the redemptions, and opens cases. */
export async function writeFold(
	work: Work,
	fold: RowsFold,
	logged: readonly { readonly change: Change; readonly entry: LogEntry }[],
): Promise<void> {
	const revoked = await loadRevoked(work, fold.changes.filter(({ passages }) => passages > 0).map(ticketOf));
	const cases: UseCase[] = [];
	for (const { change, entry } of logged) {
		if (change.passages === 0) continue;
		noteTaken(fold, change, entry);
		cases.push({ ...caseOf(change), refunded: revoked(ticketOf(change)) });
	}
	await saveRedemptions(
		work,
		[...fold.touched].flatMap((text) => fold.known.get(text) ?? []),
	);
	await openUseCases(
		work,
		cases.filter(({ over, refunded }) => over > 0 || refunded),
	);
}

function noteTaken({ known }: RowsFold, { record }: Change, takenAt: LogEntry): void {
	const text = redemptionText(record);
	const kept = known.get(text);
	if (kept !== undefined && kept.takenAt === undefined) known.set(text, { ...kept, takenAt });
}

function ticketOf({ record: { venue, evt, idx } }: Change): TicketKey {
	return { venue, evt, idx };
}

function caseOf({ record, over, atMs }: Change): Omit<UseCase, 'refunded'> {
	const { venue, evt, idx, allowance, device, redemption } = record;
	return { venue, evt, idx, allowance, device, redemption, over, atMs };
}
