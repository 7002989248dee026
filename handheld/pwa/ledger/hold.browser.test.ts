import { afterEach, expect, test } from 'vitest';
import { holdLedger, type LedgerHold } from './hold.ts';
import { freshName } from './testing/open-for-test.ts';

const taken: LedgerHold[] = [];
afterEach(async () => {
	for (const hold of taken.splice(0)) await hold.release();
});

async function take(name: string, how: 'if_free' | 'wait' | 'take_over' = 'if_free'): Promise<LedgerHold> {
	const answer = await holdLedger(name, { how });
	if (answer.kind === 'in_use') throw new Error('in use');
	taken.push(answer.hold);
	return answer.hold;
}

test('says that a ledger is in use, until the one who holds it gives it back', async () => {
	const name = freshName();
	const first = await take(name);
	expect(first.isHeld()).toBe(true);
	expect(await holdLedger(name)).toEqual({ kind: 'in_use' });
	await take(freshName());
	await first.release();
	expect([first.isHeld(), await first.ended]).toEqual([false, 'released']);
	const second = await take(name);
	expect(second.token).not.toBe(first.token);
});

test('lets one wait in line, and give up', async () => {
	const name = freshName();
	const first = await take(name);
	const patient = take(name, 'wait');
	const impatient = new AbortController();
	const answer = holdLedger(name, { how: 'wait', signal: impatient.signal });
	impatient.abort();
	expect(await answer).toEqual({ kind: 'in_use' });
	await first.release();
	expect((await patient).isHeld()).toBe(true);
});

test('tells the one whose ledger was taken over', async () => {
	const name = freshName();
	const first = await take(name);
	const second = await take(name, 'take_over');
	expect([await first.ended, first.isHeld(), second.isHeld()]).toEqual(['taken_over', false, true]);
	await first.release();
	expect(second.isHeld()).toBe(true);
});
