import { describe, expect, it } from 'vitest';
import type { Books } from './books.ts';
import type { CrowdResult, Visit } from './crowd.ts';
import { type Evidence, judge, type Problem } from './judge.ts';

const none = { count: 0, p50: 0, p99: 0, max: 0 };
const granted = { kind: 'granted', redemption: 'r-1', rung: 'authority' } as const;
const refused = { kind: 'refused', reason: 'already_redeemed' } as const;
const first: Visit = {
	device: 'd-1',
	name: 'handheld-1',
	idx: 7,
	tookMs: 5,
	outcome: granted,
	claims: [{ tookMs: 3, kind: 'granted' }],
};
const second: Visit = { ...first, device: 'd-2', name: 'handheld-2', outcome: refused, claims: [] };
const passage = { device: 'd-1', redemption: 'r-1', idx: 7, taken: 1 };
const journals = [
	{ device: 'd-1', name: 'handheld-1', rows: 3 },
	{ device: 'd-2', name: 'handheld-2', rows: 2 },
];
const wholeBooks: Books = {
	passages: [passage],
	oddRights: [],
	cases: [],
	through: new Map([
		['d-1', 3],
		['d-2', 2],
	]),
};

/** One ticket that was shown at two handhelds. */
function evidence(visits: readonly Visit[], books: Partial<Books> = {}, crowd: Partial<CrowdResult> = {}): Evidence {
	return {
		scans: [first, second].map(({ idx }, at) => ({ atMs: at, kind: 'handheld', at, idx })),
		crowds: [{ kind: 'handheld', visits, journals, errors: [], feed: none, late: none, ...crowd }],
		books: { ...wholeBooks, ...books },
	};
}

describe('the judge of a peak', () => {
	it('has nothing to say where one goes in and the other is refused', () => {
		expect(judge(evidence([first, second]))).toEqual([]);
		const onTheWay: Visit = { ...second, outcome: { kind: 'refused', reason: 'in_progress' } };
		expect(judge(evidence([first, onTheWay]))).toEqual([]);
	});

	it('permits a double entry of a device without the authority, where it has its case and nothing else came of it', () => {
		const alone: Visit = { ...second, outcome: { ...granted, redemption: 'r-2', rung: 'local' } };
		const both = { passages: [passage, { ...passage, device: 'd-2', redemption: 'r-2' }] };
		const entry = { kind: 'double_entry', idx: 7 };
		const told = 'handheld-1: {"event":"conflict","conflicts":[{"case":"double_entry.lantern-2026.7.ticket"}]}';
		const kindsOf = (books: Partial<Books>, errors: readonly string[] = []) =>
			judge(evidence([first, alone], { ...both, ...books }, { errors })).map(({ kind }) => kind);
		const counted = [{ idx: 7, used: 2, held: 0 }];
		expect(kindsOf({ cases: [entry], oddRights: counted }, [told])).toEqual(['out_of_reach']);
		expect(kindsOf({ oddRights: counted })).toEqual(['out_of_reach', 'no_case']);
		expect(kindsOf({ cases: [entry], oddRights: [{ idx: 7, used: 3, held: 0 }] })).toEqual(['out_of_reach', 'counts']);
		expect(kindsOf({ cases: [entry, { ...entry, idx: 8 }] })).toEqual(['out_of_reach', 'case']);
	});

	const late: Visit = { ...second, claims: [{ tookMs: 601.4, kind: 'out_of_reach' }] };
	const local: Visit = { ...first, outcome: { ...granted, rung: 'local' }, claims: [] };
	const revoked: Visit = { ...second, outcome: { kind: 'refused', reason: 'revoked' } };
	const twice: Visit = { ...second, outcome: { ...granted, redemption: 'r-2' } };
	const passageTwice = { ...passage, device: 'd-2', redemption: 'r-2' };
	const wrongs: readonly [string, Evidence, readonly Problem[]][] = [
		[
			'a claim that was not answered in time',
			evidence([first, late]),
			[{ kind: 'out_of_reach', text: 'handheld-2, ticket 7, after 601 ms' }],
		],
		[
			'an admission for which nobody was asked',
			evidence([local, second]),
			[{ kind: 'out_of_reach', text: 'handheld-1, ticket 7, admitted on the rung local' }],
		],
		[
			'an error in the log of a device',
			evidence([first, second], {}, { errors: ['handheld-1: ledger_failed'] }),
			[{ kind: 'error', text: 'handheld-1: ledger_failed' }],
		],
		['a scan without a verdict', evidence([first]), [{ kind: 'verdicts', text: '2 scans, 1 verdicts' }]],
		[
			'a refusal for another reason',
			evidence([first, revoked]),
			[{ kind: 'refused', text: 'handheld-2, ticket 7: revoked' }],
		],
		[
			'a ticket that went in twice',
			evidence([first, twice], { passages: [passage, passageTwice] }),
			[{ kind: 'admitted', text: 'ticket 7: shown 2 times, admitted 2 times' }],
		],
		[
			'a ticket that never went in',
			evidence([{ ...first, outcome: refused }, second], { passages: [] }),
			[{ kind: 'admitted', text: 'ticket 7: shown 2 times, admitted 0 times' }],
		],
		[
			'an admission that the centre does not have',
			evidence([first, second], { passages: [] }),
			[{ kind: 'passage', text: 'handheld-1, ticket 7: not at the centre' }],
		],
		[
			'an admission that the centre has twice',
			evidence([first, second], { passages: [passage, passage] }),
			[{ kind: 'passage', text: 'ticket 7: 1 at the centre that were not such' }],
		],
		[
			'an admission that the centre counts as two people',
			evidence([first, second], { passages: [{ ...passage, taken: 2 }] }),
			[{ kind: 'passage', text: 'ticket 7: 2 at the centre that were not such' }],
		],
		[
			'a journal that did not arrive whole',
			evidence([first, second], { through: new Map([['d-1', 2]]) }),
			[
				{ kind: 'rows', text: 'handheld-1: 2 of 3' },
				{ kind: 'rows', text: 'handheld-2: 0 of 2' },
			],
		],
		[
			'a ticket that is still held',
			evidence([first, second], { oddRights: [{ idx: 7, used: 1, held: 1 }] }),
			[{ kind: 'counts', text: 'ticket 7: 1 used, 1 held' }],
		],
		[
			'a case that nobody caused',
			evidence([first, second], { cases: [{ kind: 'double_entry', idx: 7 }] }),
			[{ kind: 'case', text: 'double_entry of ticket 7' }],
		],
	];
	it.each(wrongs)('finds %s', (_, wrong, problems) => {
		expect(judge(wrong)).toEqual(problems);
	});
});
