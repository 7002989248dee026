import type { Books } from './books.ts';
import type { CrowdResult, Visit } from './crowd.ts';
import type { Scan } from './plan.ts';

/** What can go wrong, causes before what follows from them. */
export const problemKinds = {
	out_of_reach: 'the authority was out of reach',
	error: 'a device logged an error',
	verdicts: 'a scan brought no verdict',
	refused: 'a ticket was refused wrongly',
	admitted: 'a ticket was not admitted exactly once',
	passage: 'the centre and the devices tell of different passages',
	rows: 'a journal is not whole at the centre',
	counts: 'a ticket is not counted once at the centre',
	case: 'a case was invented',
	no_case: 'a double entry has no case',
} as const;

/** One thing that went wrong. */
export interface Problem {
	readonly kind: keyof typeof problemKinds;
	/** Where, and what exactly. */
	readonly text: string;
}

/** All that is known of a peak that is over. */
export interface Evidence {
	readonly scans: readonly Scan[];
	readonly crowds: readonly CrowdResult[];
	readonly books: Books;
}

/** Why a ticket that was shown elsewhere before may be refused. */
const doubleReasons: ReadonlySet<string> = new Set(['already_redeemed', 'in_progress']);

/** What went wrong; nothing where everything held. */
export function judge({ scans, crowds, books }: Evidence): readonly Problem[] {
	const visits = crowds.flatMap((crowd) => crowd.visits);
	const tickets = Map.groupBy(visits, ({ idx }) => idx);
	const doubles = exposedDoubles(tickets);
	const isDouble = (idx: number | null) => idx !== null && doubles.has(idx);
	return [
		...visits.flatMap(judgeVisit),
		...crowds.flatMap(({ errors }) =>
			errors.filter((text) => !tellsOf(text, isDouble)).map((text) => problem('error', text)),
		),
		...judgeVerdicts(scans.length, visits.length),
		...[...tickets].filter(([idx]) => !isDouble(idx)).flatMap(([idx, shown]) => judgeTicket(idx, shown)),
		...judgePassages(visits, books),
		...crowds.flatMap(({ journals }) => journals).flatMap((journal) => judgeJournal(journal, books)),
		...books.oddRights
			.filter(({ idx, used, held }) => held > 0 || used !== doubles.get(idx))
			.map(({ idx, used, held }) => problem('counts', `ticket ${idx}: ${used} used, ${held} held`)),
		...[...doubles.keys()]
			.filter((idx) => !books.cases.some((each) => each.idx === idx && each.kind === 'double_entry'))
			.map((idx) => problem('no_case', `ticket ${idx}`)),
		...books.cases
			.filter(({ kind, idx }) => kind !== 'double_entry' || !isDouble(idx))
			.map(({ kind, idx }) => problem('case', idx === null ? kind : `${kind} of ticket ${idx}`)),
	];
}

/**
 * Tickets that went in more than once, and how often, where one of those devices could not reach the authority: the venue's rules
 * permit that, and each must have its case. Two on the authority's own word are never such.
 */
function exposedDoubles(tickets: ReadonlyMap<number, readonly Visit[]>): ReadonlyMap<number, number> {
	const doubles = new Map<number, number>();
	for (const [idx, shown] of tickets) {
		const rungs = shown.flatMap(({ outcome }) => (outcome.kind === 'granted' ? [outcome.rung] : []));
		const byAuthority = rungs.filter((rung) => rung === 'authority').length;
		if (rungs.length > 1 && byAuthority <= 1) doubles.set(idx, rungs.length);
	}
	return doubles;
}

/** Whether an error is what a device says of a double entry: its rows made a case. */
function tellsOf(error: string, isDouble: (idx: number) => boolean): boolean {
	const cases = [...error.matchAll(/"case":"double_entry\.[a-z0-9-]+\.(\d+)\./g)];
	return cases.length > 0 && cases.every(([, idx]) => isDouble(Number(idx)));
}

function problem(kind: Problem['kind'], text: string): Problem {
	return { kind, text };
}

/** The authority had to be there for everybody. */
function judgeVisit({ name, idx, outcome, claims }: Visit): readonly Problem[] {
	const late = claims.find(({ kind }) => kind === 'out_of_reach');
	if (late) return [problem('out_of_reach', `${name}, ticket ${idx}, after ${late.tookMs.toFixed(0)} ms`)];
	// Nobody is asked where the last one was out of reach.
	if (outcome.kind === 'refused' || outcome.rung === 'authority') return [];
	return [problem('out_of_reach', `${name}, ticket ${idx}, admitted on the rung ${outcome.rung}`)];
}

function judgeVerdicts(scans: number, verdicts: number): readonly Problem[] {
	return scans === verdicts ? [] : [problem('verdicts', `${scans} scans, ${verdicts} verdicts`)];
}

/** Of all who show one ticket exactly one goes in. */
function judgeTicket(idx: number, shown: readonly Visit[]): readonly Problem[] {
	const granted = shown.filter(({ outcome }) => outcome.kind === 'granted');
	const wrong = shown.flatMap(({ name, outcome }) => {
		const isWrong = outcome.kind === 'refused' && !doubleReasons.has(outcome.reason);
		return isWrong ? [problem('refused', `${name}, ticket ${idx}: ${outcome.reason}`)] : [];
	});
	if (granted.length === 1) return wrong;
	return [
		...wrong,
		problem('admitted', `ticket ${idx}: shown ${shown.length} times, admitted ${granted.length} times`),
	];
}

/** The centre knows each admission once and no other. */
function judgePassages(visits: readonly Visit[], { passages }: Books): readonly Problem[] {
	const keyOf = (device: string, redemption: string, idx: number) => `${device}/${redemption}/${idx}`;
	const missing = new Map<string, Visit>();
	for (const visit of visits) {
		const { device, idx, outcome } = visit;
		if (outcome.kind === 'granted') missing.set(keyOf(device, outcome.redemption, idx), visit);
	}
	const invented = passages.filter(({ device, redemption, idx, taken }) => {
		return !missing.delete(keyOf(device, redemption, idx)) || taken !== 1;
	});
	return [
		...invented.map(({ idx, taken }) => problem('passage', `ticket ${idx}: ${taken} at the centre that were not such`)),
		...[...missing.values()].map(({ name, idx }) => problem('passage', `${name}, ticket ${idx}: not at the centre`)),
	];
}

function judgeJournal({ device, name, rows }: CrowdResult['journals'][number], { through }: Books): readonly Problem[] {
	const there = through.get(device) ?? 0;
	return there === rows ? [] : [problem('rows', `${name}: ${there} of ${rows}`)];
}
