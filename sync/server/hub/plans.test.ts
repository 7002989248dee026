import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { evt } from '../testing/device-journal.ts';
import { type HubWorld, startHubWorld } from './hub-world.suite.ts';
import { untilGrants, untilPassedOn } from './outage.suite.ts';
import { tablesOf } from './venue-tables.suite.ts';

/** Tables that grow with every visitor or order of a season. */
const growing = ['segments', 'branches', 'redemptions', 'rights', 'admission_log', 'control_log', 'orders'];

/** Few entries stay in them, however large their tables are. */
const fewIndexes = ['segments_uncounted', 'redemptions_open'];

/** What a device or a hub begins with is all that there is, and so is what a migration counts. */
const wholeReads = [
	/^SELECT evt, string_agg\(.* FROM rights/,
	/^SELECT evt, idx, allowance, use, used, held FROM rights/,
	/^select \* from "(rights|redemptions)"/,
	/^select "device", "device_epoch", max\("to_seq"\)/,
	/^DELETE FROM "\w+" WHERE venue_id = \?$/,
	/^INSERT INTO held_uses/,
];

/** Records the plan of each statement that servers in this process prepare. */
function recordPlans(): Map<string, readonly string[]> {
	const plans = new Map<string, readonly string[]>();
	const { prototype } = Sqlite;
	const { prepare } = prototype;
	onTestFinished(() => {
		prototype.prepare = prepare;
	});
	prototype.prepare = function (this: Sqlite.Database, source: string) {
		const statement = prepare.call(this, source);
		const text = source.replaceAll(/\s+/g, ' ').trim();
		if (!plans.has(text) && isOfStore(this, text)) plans.set(text, planOf(this, text));
		return statement;
	} as typeof prepare;
	const isOfStore = (file: Sqlite.Database, text: string) =>
		/\b(SELECT|UPDATE|DELETE)\b/i.test(text) &&
		prepare.call(file, 'SELECT 1 FROM sqlite_schema WHERE name = ?').get('admission_log') !== undefined;
	const planOf = (file: Sqlite.Database, text: string) => {
		const nothing = Array<null>(text.split('?').length - 1).fill(null);
		const steps = prepare.call(file, `EXPLAIN QUERY PLAN ${text}`).all(nothing);
		return steps.map((step) => (step as { readonly detail: string }).detail);
	};
	return plans;
}

/** Steps of a plan that read all that a venue has in a growing table. */
function readsAll(text: string, plan: readonly string[]): readonly string[] {
	const names = new Map(growing.map((table) => [table, table]));
	for (const [, table = '', alias = ''] of text.matchAll(/\b(?:from|join|update) "?(\w+)"?(?: as)? "?(\w+)/gi)) {
		if (growing.includes(table)) names.set(alias, table);
	}
	return plan.filter((step) => {
		const [, what = '', name = ''] = /^(SCAN|SEARCH) (\w+)/.exec(step) ?? [];
		if (!names.has(name) || fewIndexes.some((index) => step.includes(`INDEX ${index} `))) return false;
		return what === 'SCAN' || step.endsWith('(venue_id=?)');
	});
}

/** An hour of a venue whose hub grants, in few visits: everything that is asked while visitors come. */
async function live(world: HubWorld): Promise<void> {
	const hub = await world.addHub('hub-1');
	await untilGrants(world, 'hub-1', await world.setAuthority('hub-1'));
	const [a, b] = [await world.addDevice(hub), await world.addDevice(hub)];
	await a.follow();
	for (const idx of [1, 2, 3]) expect(await a.admit(idx)).toBe('granted');
	expect(await b.admit(1)).not.toBe('granted');
	b.journal.admit({ idx: 1, rung: 'local', taken: 1 });
	for (const each of [a, b]) await each.push();
	await a.openClaims();
	const order = { order: 'A-1', evt, cls: 'adult', count: 3, claims: { nbf: 0, exp: 4_000_000_000 } };
	expect((await world.office('POST', '/orders', order)).status).toBe(200);
	expect((await world.office('POST', '/orders/A-1/refund', {})).status).toBe(200);
	expect((await world.office('GET', '/cases')).status).toBe(200);
	expect((await world.office('POST', '/configs/gate-1', { text: 'lanes: []' })).status).toBe(200);
	expect((await a.call('GET', '/v1/config')).body).toMatchObject({ newest: { version: 1 } });
	await untilPassedOn(world, tablesOf(hub.dir));
}

test('nothing that is asked while visitors come reads all that a venue has', { timeout: 120_000 }, async () => {
	const plans = recordPlans();
	const world = await startHubWorld();
	onTestFinished(() => world.close());
	await live(world);
	const asked = [...plans].filter(([text]) => !wholeReads.some((whole) => whole.test(text)));
	expect(asked.length).toBeGreaterThan(80);
	expect(asked.flatMap(([text, plan]) => readsAll(text, plan).map((step) => `${step}: ${text}`))).toEqual([]);
});
