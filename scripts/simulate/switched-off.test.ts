import { expect, test } from 'vitest';
import { brokenBy, type Patch, runPatched } from './switched-off.suite.ts';

const minutes = 60_000;

interface Switch {
	readonly patches: readonly Patch[];
	/** What breaks without it. */
	readonly breaks: string;
	readonly firstSeed: number;
	readonly count: number;
}

const switches: Readonly<Record<string, Switch>> = {
	'commit before open': {
		patches: [
			{
				file: 'gate-agent/core/admit.ts',
				anchor: '	const redeemed = await deps.ledger.redeem(request, (history) => {',
				instead: `	const { grantOf } = await import('./ledger-rules.ts');
	const before = await deps.ledger.history(request);
	const early = decide(ticket, before, context);
	if (early.kind === 'grant') {
		void deps.ledger.redeem(request, () => early);
		const grant = grantOf(request, early, request.atMs);
		return { kind: 'granted', grant, left: early.left, givenBack: before.givenBack };
	}
	const redeemed = await deps.ledger.redeem(request, (history) => {`,
			},
		],
		breaks: 'I4',
		firstSeed: 3000,
		count: 4,
	},
	'the outbox as a cursor': {
		patches: [
			{
				file: 'sync/client/ledger-sync.ts',
				anchor: 'rememberAccepted: (seq) => ledger.remember(',
				instead:
					'rememberAccepted: async (seq) => seq < Number((await ledger.recall(notes.accepted(ledger.epoch))) ?? 0) ? undefined : ledger.remember(',
			},
		],
		breaks: 'I5',
		firstSeed: 3008,
		count: 3,
	},
	'idempotence by redemption id': {
		patches: [
			{
				file: 'sync/server/stores/claims.ts',
				anchor: '!isOpenAgain(before)) return firstAnswer(each, before);',
				instead: 'false) return firstAnswer(each, before);',
			},
		],
		breaks: 'I5',
		firstSeed: 3002,
		count: 2,
	},
};

test.each(Object.entries(switches))(
	'%s switched off is found, and the same worlds hold with it',
	async (_name, { patches, breaks, firstSeed, count }) => {
		expect(brokenBy(await runPatched({ patches, firstSeed, count }))).toContain(breaks);
		expect(brokenBy(await runPatched({ patches: [], firstSeed, count }))).toEqual([]);
	},
	20 * minutes,
);
