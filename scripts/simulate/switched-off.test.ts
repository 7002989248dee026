import { expect, test } from 'vitest';
import { brokenBy, type Patch, runPatched } from './switched-off.suite.ts';

const minutes = 60_000;

interface Switch {
	readonly patches: readonly Patch[];
	/** What breaks without it. */
	readonly breaks: string;
	/** Worlds that find it: runs of seeds, each its first one and how many. */
	readonly worlds: readonly (readonly [firstSeed: number, count: number])[];
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
		worlds: [[3000, 4]],
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
		worlds: [[3008, 3]],
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
		worlds: [[3002, 2]],
	},
	// The client's fence and what servers make of a cursor that lies before them: each would do alone.
	'fencing by epoch': {
		patches: [
			{
				file: 'sync/client/epoch-fence.ts',
				anchor: "if (epoch < newest) return 'older';",
				instead: "if (epoch < newest) return 'same';",
			},
			{
				file: 'sync/protocol/cursor.ts',
				anchor: 'return epoch > head.epoch || (epoch === head.epoch && admissions > head.admissions);',
				instead: 'return epoch + head.epoch + admissions < 0;',
			},
		],
		breaks: 'I2',
		worlds: [
			[26, 1],
			[121, 1],
		],
	},
};

test.each(Object.entries(switches))(
	'%s switched off is found, and the same worlds hold with it',
	async (_name, { patches, breaks, worlds }) => {
		const broken: string[] = [];
		const without: string[] = [];
		for (const [firstSeed, count] of worlds) {
			broken.push(...brokenBy(await runPatched({ patches, firstSeed, count })));
			without.push(...brokenBy(await runPatched({ patches: [], firstSeed, count })));
		}
		expect(broken).toContain(breaks);
		expect(without).toEqual([]);
	},
	20 * minutes,
);
