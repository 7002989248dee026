import { expect, test } from 'vitest';
import { describeWithChromium } from './testing/chromium.suite.ts';

describeWithChromium('the ledger in a browser on a disk', (start) => {
	test('every acknowledged redemption survives kill -9 of the whole browser, none twice', async () => {
		const acknowledged: number[] = [];
		for (const [round, after] of [100, 1, 37].entries()) {
			const browser = await start();
			const enough = Promise.withResolvers<void>();
			const before = acknowledged.length;
			const tab = await browser.openTab((idx) => {
				acknowledged.push(idx);
				if (acknowledged.length - before >= after) enough.resolve();
			});
			expect(await tab.call('open', 'if_free')).toBe('open');
			// It ends with the browser, in the middle of a redemption.
			const burst = tab.call('redeemAll', round * 100_000, 50_000).catch(() => 'killed');
			await enough.promise;
			await browser.kill();
			expect(await burst).toBe('killed');
		}
		const browser = await start();
		const tab = await browser.openTab();
		expect(await tab.call('open', 'if_free')).toBe('open');
		const { granted, open, whole } = await tab.call('granted');
		expect(whole).toBe(true);
		expect(new Set(granted).size).toBe(granted.length);
		expect(granted).toEqual(expect.arrayContaining(acknowledged));
		// One in each round may have been committed and not yet told.
		expect(granted.length - acknowledged.length).toBeLessThanOrEqual(3);
		expect(open).toEqual(expect.arrayContaining(acknowledged.filter((idx) => idx % 3 === 0)));
		for (const idx of acknowledged) expect(await tab.call('ask', idx)).toBe('denied');
	}, 120_000);

	test('two tabs never hold it both: the second is told, waits, or takes over and the first is told', async () => {
		const browser = await start();
		const first = await browser.openTab();
		const second = await browser.openTab();
		expect(await first.call('open', 'if_free')).toBe('open');
		expect(await second.call('open', 'if_free')).toBe('in_use');
		expect(await first.call('ask', 1)).toBe('granted');

		expect(await second.call('open', 'take_over')).toBe('open');
		expect(await second.call('ask', 1)).toBe('denied');
		expect(await first.call('ended')).toBe('taken_over');
		expect(await first.call('ask', 2)).toBe('ledger_busy');
		expect(await second.call('ask', 2)).toBe('granted');

		const third = await browser.openTab();
		const waiting = third.call('open', 'wait');
		await second.close();
		expect(await waiting).toBe('open');
		expect(await third.call('ask', 2)).toBe('denied');
	});

	test('a browser that has no space left grants nothing and keeps denials, and goes on once there is some', async () => {
		const browser = await start();
		const tab = await browser.openTab();
		await tab.limitStorage(2 * 1024 * 1024);
		await tab.call('open', 'if_free');
		expect(await tab.call('ask', 1)).toBe('granted');
		expect(await tab.call('fill')).toBe('ledger_full');
		expect([await tab.call('ask', 2), await tab.call('ask', 2), await tab.call('ask', 1)]).toEqual([
			...['ledger_full', 'ledger_full', 'denied'],
		]);
		const full = await tab.call('look', 2);
		expect(full).toMatchObject({ uses: 0, state: 'ledger_full' });
		expect(await tab.call('deny')).toEqual({ flushed: 'ledger_full', waiting: 1 });
		await tab.call('close');

		const again = await browser.openTab();
		expect(await again.call('open', 'if_free')).toBe('open');
		expect([await again.call('ask', 2), await again.call('ask', 1)]).toEqual(['ledger_full', 'denied']);
		await again.limitStorage();
		expect([await again.call('ask', 2), await again.call('ask', 2)]).toEqual(['granted', 'denied']);
		expect(await again.call('deny')).toEqual({ flushed: 'written', waiting: 0 });
		expect(await again.call('look', 2)).toEqual({ uses: 1, state: 'ok', epoch: full.epoch });
	});

	test('takes over the snapshot of a million tickets quickly, and decides in less than 20 ms', async () => {
		const browser = await start();
		const tab = await browser.openTab();
		await tab.call('open', 'if_free');
		const { replaceMs, decisionMs, bareMs } = await tab.call('measure', 300);
		const [decision, bare] = [percentilesOf(decisionMs), percentilesOf(bareMs)];
		process.stdout.write(
			`snapshot ${replaceMs.toFixed(0)} ms; decision p50 ${decision.p50.toFixed(1)}, p99 ${decision.p99.toFixed(1)} ms; ` +
				`bare durable write p50 ${bare.p50.toFixed(1)}, p99 ${bare.p99.toFixed(1)} ms\n`,
		);
		expect(replaceMs).toBeLessThan(5_000);
		expect(decision.p50).toBeLessThan(20);
		// On a machine that does other work as well, the ratio to what the disk takes is the figure.
		expect(decision.p99).toBeLessThan(Math.max(20, 4 * bare.p99));
	});
});

function percentilesOf(timesMs: readonly number[]): { readonly p50: number; readonly p99: number } {
	const sorted = [...timesMs].sort((a, b) => a - b);
	const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
	return { p50: at(0.5), p99: at(0.99) };
}
