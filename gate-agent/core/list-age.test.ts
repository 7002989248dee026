import { expect, it } from 'vitest';
import { StilewardError } from './errors.ts';
import { createListAge } from './list-age.ts';
import { createMemoryLedger } from './memory-ledger.ts';

const minuteMs = 60_000;

it('lists that were never confirmed are older than anything, and the age goes on over a restart', async () => {
	const ledger = createMemoryLedger({ epoch: 'epoch-1', device: 'gate-1' });
	let nowMs = 1_790_000_000_000;
	const first = await createListAge(ledger, () => nowMs);
	expect(first.ageMs()).toBe(Number.POSITIVE_INFINITY);
	await first.confirm(undefined);
	expect(first.ageMs()).toBe(Number.POSITIVE_INFINITY);
	await first.confirm(2_000);
	expect(first.ageMs()).toBe(2_000);
	nowMs += 10 * minuteMs;
	expect(first.ageMs()).toBe(10 * minuteMs + 2_000);
	expect((await createListAge(ledger, () => nowMs)).ageMs()).toBe(10 * minuteMs + 2_000);
});

it('lists are stale for a policy that says how old they may be, which is told once', async () => {
	const ledger = createMemoryLedger({ epoch: 'epoch-1', device: 'gate-1' });
	let nowMs = 1_790_000_000_000;
	const age = await createListAge(ledger, () => nowMs);
	const rules = { timeZone: 'UTC', dayStartsAtMinutes: 0, classes: {}, unknownClass: 'admit', sessions: {} } as const;
	const patient = { evt: 'fair', ...rules };
	const strict = { evt: 'opera', ...rules, listAgeMaxMinutes: 10 };
	expect([age.isStale(patient), age.isStale(strict)]).toEqual([false, true]);
	expect(age.look([patient])).toEqual({ stale: false, changed: false });
	expect(age.look([patient, strict])).toEqual({ stale: true, changed: true });
	expect(age.look([patient, strict])).toEqual({ stale: true, changed: false });
	await age.confirm(0);
	expect(age.look([patient, strict])).toEqual({ stale: false, changed: true });
	nowMs += 10 * minuteMs + 1;
	expect(age.look([strict])).toEqual({ stale: true, changed: true });
});

it('the disk is written to once a minute, and one that is full only makes lists look older after a restart', async () => {
	const ledger = createMemoryLedger({ epoch: 'epoch-1', device: 'gate-1' });
	let nowMs = 1_790_000_000_000;
	let writes = 0;
	const { remember } = ledger;
	ledger.remember = async (name, value) => {
		writes += 1;
		if (writes > 1) throw new StilewardError('ledger_full', 'the disk is full');
		return remember.call(ledger, name, value);
	};
	const age = await createListAge(ledger, () => nowMs);
	for (let second = 0; second < 59; second += 1) {
		await age.confirm(0);
		nowMs += 1_000;
	}
	expect(writes).toBe(1);
	nowMs += 2 * minuteMs;
	await age.confirm(0);
	expect([writes, age.ageMs()]).toEqual([2, 0]);
});
