import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Store } from './store.ts';
import { claimLaws } from './store-claims.suite.ts';
import { configLaws } from './store-configs.suite.ts';
import { deviceLaws } from './store-devices.suite.ts';
import { feedLaws } from './store-feed.suite.ts';
import { journalLaws } from './store-journals.suite.ts';
import { expectSameAsModel } from './store-model.suite.ts';
import { orderLaws } from './store-orders.suite.ts';
import { peopleLaws } from './store-people.suite.ts';
import { prepareVenue } from './testing/device-journal.ts';

/** What a law of the store is tried on: a venue of its own, and two devices of it. */
export interface Trial {
	readonly store: Store;
	readonly venue: string;
	readonly a: string;
	readonly b: string;
}

/** A law by its name. */
export type Laws = Readonly<Record<string, (trial: Trial) => Promise<void>>>;

/** Runs every law of `store.ts` on one implementation; the venues share its database, as they do in life. */
export function storeSuite(name: string, open: () => Promise<Store>): void {
	describe(name, () => {
		let store: Store;
		let venues = 0;
		beforeAll(async () => {
			store = await open();
		}, 60_000);
		afterAll(() => store.close());
		const laws = {
			...claimLaws,
			...journalLaws,
			...peopleLaws,
			...orderLaws,
			...deviceLaws,
			...configLaws,
			...feedLaws,
		};
		for (const [law, hold] of Object.entries(laws)) {
			test(law, async () => {
				venues += 1;
				const venue = `venue-${venues}`;
				const [a = '', b = ''] = await prepareVenue(store, venue, ['gate-a', 'gate-b']);
				await hold({ store, venue, a, b });
			});
		}
		test('a random history counts what simple arithmetic counts', async () => {
			let runs = 0;
			await expectSameAsModel(store, () => {
				runs += 1;
				return `model-${runs}`;
			});
		});
	});
}
