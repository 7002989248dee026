import { readRules, rulesNote } from '../../sync/client/ledger-sync.ts';
import type { Standing } from '../core/decide.ts';
import { StilewardError } from '../core/errors.ts';
import { readLedger } from '../ledger/read-ledger.ts';
import type { VenueHealth } from '../venue-link.ts';
import type { Check } from './check.ts';
import { type Evidence, type Finding, found } from './finding.ts';

/** More rows than a busy minute brings. */
const waitingMany = 1_000;

/** How the gate stands with its venue: as its agent sees it, or as its ledger remembers. */
export const venueCheck: Check = {
	name: 'venue',
	run: async ({ enrolled, enrollmentHidden, agent, dataDir }) => {
		if (enrolled === undefined)
			return [found('venue_skipped', 'venue', { why: enrollmentHidden ? 'enrollment_hidden' : 'not_enrolled' })];
		const { venue } = enrolled.enrollment;
		if (agent.health?.venue) return healthFindings(venue, agent.health.venue);
		const remembered = standingFindings(venue, dataDir === undefined ? undefined : rememberedStanding(dataDir));
		return remembered.length > 0 ? remembered : [found('venue_skipped', venue, { why: 'gate_stopped' })];
	},
};

function healthFindings(name: string, venue: VenueHealth): readonly Finding[] {
	const { state, problem, waiting, listAgeMs, journal, standing, listsStale, authority } = venue;
	const evidence: Evidence = {
		state,
		waiting,
		journal,
		standing,
		authority,
		ageSeconds: Math.round((listAgeMs ?? 0) / 1000),
	};
	const isForked = journal === 'quarantined' || standing === 'quarantined';
	const findings = [
		...standingFindings(name, isForked ? 'quarantined' : standing),
		...(listsStale ? [found('lists_stale', name, evidence)] : []),
		...(state !== 'online' ? [found('venue_offline', name, { ...evidence, problem: problem ?? state })] : []),
		...(state === 'online' && authority !== 'reachable' && !isForked
			? [found('authority_unreachable', name, evidence)]
			: []),
		...(waiting > waitingMany ? [found('queue_long', name, evidence)] : []),
	];
	return findings.length > 0 ? findings : [found('venue_ok', name, evidence)];
}

function standingFindings(name: string, standing: Standing | undefined): readonly Finding[] {
	if (standing === 'quarantined') return [found('device_quarantined', name)];
	return standing === 'disabled' ? [found('device_disabled', name)] : [];
}

function rememberedStanding(dir: string): Standing | undefined {
	try {
		const ledger = readLedger(dir);
		try {
			return readRules(ledger.note(rulesNote)).standing;
		} finally {
			ledger.close();
		}
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return undefined;
	}
}
