import { assert, StilewardError } from '../../../gate-agent/core/errors.ts';
import type { ClaimAnswer } from '../../protocol/claims.ts';
import { isAhead } from '../../protocol/cursor.ts';
import { applyOutcome, decideAsk, type Verdict } from '../rights.ts';
import { batchMax, type Store, type VenueClaim, type VenueHead } from '../store.ts';
import { type LoggedChange, logAdmissions } from './admissions.ts';
import { type Database, transact, type Work } from './dialect.ts';
import { groupCommit } from './group-commit.ts';
import { lockVenues, logControl, numbers } from './heads.ts';
import { createLoadPlaces, type LoadPlaces, type Places } from './people.ts';
import { loadRedemptions, type RedemptionRecord, redemptionText, saveRedemptions } from './redemptions-table.ts';
import { loadRevoked, loadRights, type RightKey, type RightsFold } from './rights-table.ts';
import { partial } from './schema.ts';

/** The claims' part of a store. */
export function claimMethods(database: Database): Pick<Store, 'claim' | 'openClaims' | 'releaseClaims'> {
	const { db, dialect } = database;
	const loadPlaces = createLoadPlaces();
	return {
		claim: groupCommit({
			commit: (batch: readonly VenueClaim[]) => transact(database, (work) => decideClaims(work, batch, loadPlaces)),
			itemsMax: batchMax,
			writersMax: dialect.writersMax,
		}),
		openClaims: async (venue, device) => {
			const rows = await db
				.selectFrom('redemptions')
				.select(['redemption', 'claim_journal', 'at_ms', 'evt', 'idx', 'allowance', 'uses', 'lane'])
				.where('venue_id', '=', venue)
				.where('device', '=', device)
				.where(partial.claimed)
				.orderBy('at_ms')
				.execute();
			// A claim from before the column came is answered as one of a lost journal.
			return rows.map(({ claim_journal, at_ms, ...claim }) => {
				return { ...claim, journal: claim_journal ?? noJournal, atMs: at_ms };
			});
		},
		releaseClaims: (release) => transact(database, (work) => releaseClaims(work, release)),
	};
}

/** Stands where a claim did not say which journal it is for. */
const noJournal = '-';

interface Asked {
	readonly claim: VenueClaim;
	readonly key: RightKey & { readonly device: string; readonly redemption: string };
}

async function decideClaims(
	work: Work,
	batch: readonly VenueClaim[],
	loadPlaces: LoadPlaces,
): Promise<readonly ClaimAnswer[]> {
	const heads = await lockVenues(
		work,
		batch.map(({ venue }) => venue),
	);
	for (const claim of batch) assertGrants(claim, heads.get(claim.venue));
	const asked = batch.map((claim) => ({ claim, key: keyOf(claim) }));
	const keys = asked.map(({ key }) => key);
	const known = await loadRedemptions(work, keys);
	const rights = await loadRights(work, keys);
	const revoked = await loadRevoked(work, keys);
	const places = await loadPlaces(work, keys, Math.max(...batch.map(({ atMs }) => atMs)));
	const made = new Map<string, RedemptionRecord>();
	const answers = asked.map((each) => {
		const text = redemptionText(each.key);
		const before = known.get(text);
		if (before !== undefined && !isOpenAgain(before)) return firstAnswer(each, before);
		const { record, verdict } = decide(each, { rights, places, revoked: revoked(each.key) });
		known.set(text, record);
		made.set(text, record);
		return { redemption: each.key.redemption, ...verdict };
	});
	await saveRedemptions(work, [...made.values()]);
	await rights.save();
	return answers;
}

/** Throws `authority_lost` where this store may not grant: another epoch has begun, or it is behind its devices. */
function assertGrants({ venue, epoch, seen }: VenueClaim, head: VenueHead | undefined): void {
	if (head?.behind === 'restored') throw new StilewardError('authority_lost', `${venue} came back from a backup`);
	if (head?.behind) throw new StilewardError('authority_lost', `a device has seen more of ${venue} than this server`);
	if (!head?.grants) throw new StilewardError('authority_lost', `another server grants at ${venue}`);
	if (seen && isAhead(seen, head)) throw new StilewardError('authority_lost', `a device has seen more of ${venue}`);
	if (epoch === undefined || epoch === head.epoch) return;
	throw new StilewardError('authority_lost', `${venue} is in epoch ${head?.epoch} and not in ${epoch}`);
}

function keyOf({ venue, device, claim: { redemption, evt, idx, allowance } }: VenueClaim): Asked['key'] {
	return { venue, device, redemption, evt, idx, allowance };
}

/** The house is full. */
const full: Verdict = { result: 'denied', reason: 'capacity' };

/** Decides a claim that is new, or whose uses went back since: what it held then may be another's now. */
function decide(
	{ claim: { claim, atMs }, key }: Asked,
	{ rights, places, revoked }: { readonly rights: RightsFold; readonly places: Places; readonly revoked: boolean },
): { readonly record: RedemptionRecord; readonly verdict: Verdict } {
	const { lane, uses, use, journal } = claim;
	const asked = decideAsk(rights.get(key, use), { uses, lane, atMs: claim.atMs, revoked });
	// Somebody who comes back in is one more, though it takes no use.
	const fits = asked.verdict.result === 'denied' || places.take(key, Math.max(1, uses));
	const { right, verdict } = fits ? asked : { right: asked.right, verdict: full };
	const denied = verdict.result === 'denied';
	if (!denied && uses > 0) rights.set(key, right);
	const record: RedemptionRecord = {
		...key,
		...{ uses, reentry: uses === 0, rung: 'authority', lane, atMs, taken: 0, returned: 0 },
		state: denied ? 'denied' : 'claimed',
		claimJournal: journal,
		...(denied ? { answer: JSON.stringify(verdict) } : {}),
	};
	return { record, verdict };
}

/** What staff gave back may be another's now. What the device itself gave back it never asks for again. */
function isOpenAgain({ state, answer }: RedemptionRecord): boolean {
	return state === 'released' && answer === undefined;
}

function firstAnswer({ claim: { claim }, key }: Asked, before: RedemptionRecord): ClaimAnswer {
	const { redemption } = key;
	const same = before.evt === key.evt && before.idx === key.idx && before.allowance === key.allowance;
	const sameUses = before.state !== 'claimed' || before.uses === claim.uses;
	if (!same || !sameUses) {
		throw new StilewardError('redemption_differs', `redemption ${redemption} was asked for something else before`);
	}
	if (before.answer === undefined) return { redemption, result: 'granted' };
	// Written by `decide` from a `Verdict`.
	return { redemption, ...(JSON.parse(before.answer) as Verdict) };
}

/** Gives uses back where this store grants; a centre that does not asks the authority through the control log. */
export async function releaseClaims(
	work: Work,
	release: Omit<Parameters<Store['releaseClaims']>[0], 'by'>,
): ReturnType<Store['releaseClaims']> {
	const { venue, device, redemptions, atMs } = release;
	const heads = await lockVenues(work, [venue]);
	const head = heads.get(venue);
	if (!numbers(head)) {
		if (head?.role !== 'centre' || head.grants) throw new StilewardError('authority_lost', `${venue} grants elsewhere`);
		await logControl(work, { venue, changes: [{ kind: 'release', device, redemptions: [...redemptions] }], atMs });
		return [];
	}
	const known = await loadRedemptions(
		work,
		redemptions.map((redemption) => ({ venue, device, redemption })),
	);
	const records = [...known.values()].filter(({ state }) => state === 'claimed');
	const rights = await loadRights(work, records);
	const changes: LoggedChange[] = [];
	const released = records.map((record) => {
		const applied = applyOutcome(rights.get(record, 1), record, { kind: 'released' });
		assert(applied, 'an open claim can be released');
		if (record.uses > 0) rights.set(record, applied.right);
		changes.push({ record, right: applied.right, atMs });
		return { ...record, ...applied.redemption };
	});
	await saveRedemptions(work, released);
	await rights.save();
	await logAdmissions(work, changes, heads);
	return records.map(({ redemption }) => redemption);
}
