import { afterEach, expect, test } from 'vitest';
import { expectSameAsMemory } from '../../../gate-agent/core/same-as-memory.suite.ts';
import { dropLedgers, freshName, openForTest } from './testing/open-for-test.ts';

afterEach(dropLedgers);

test('memory and IndexedDB give the same answers, histories and rows for any sequence of operations', async () => {
	await expectSameAsMemory(async () => {
		const name = freshName();
		// Without a timer, because the ledger in memory has none: denials become rows when somebody flushes.
		const options = { newEpoch: () => 'epoch-1', verifyAtStart: false, later: () => () => undefined };
		const open = async () => (await openForTest(name, options)).ledger;
		const check = async () => {
			const { ledger, setAside } = await openForTest(name);
			expect(await ledger.verified).toMatchObject({ ok: true });
			expect(setAside).toBeUndefined();
			await ledger.close();
		};
		return { ledger: await open(), reopen: open, check };
	}, 6);
});
