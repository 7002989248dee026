import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { gateConfigsKept } from './gate-configs.ts';
import type { Laws, Trial } from './store.suite.ts';
import { deviceNamed, newRedemption, nowMs } from './testing/device-journal.ts';

function push({ store, venue }: Trial, gate: string, text: string) {
	return store.putGateConfig({ venue, gate, text, note: 'why', by: 'mina', atMs: nowMs });
}

/** What the control log has said of configurations. */
async function told({ store, venue }: Trial) {
	const page = await store.feed(venue, { epoch: 1, control: 0, admissions: 0 }, 1_000);
	return page?.entries.flatMap(({ change }) => ('kind' in change && change.kind === 'config' ? [change] : [])) ?? [];
}

/** What configurations of gates hold to. */
export const configLaws: Laws = {
	'versions of a gate are dense, however many push at once, and no other gate or venue has a part in them': async (
		trial,
	) => {
		const texts = Array.from({ length: 20 }, (_, i) => `lanes: [${i}]`);
		const made = await Promise.all(texts.map((text) => push(trial, 'gate-a', text)));
		expect(made.map(({ version }) => version).sort((x, y) => x - y)).toEqual(texts.map((_, i) => i + 1));
		expect(await push(trial, 'gate-b', 'lanes: []')).toMatchObject({ version: 1 });
		const { store, venue } = trial;
		const newest = await store.newestGateConfigs(venue);
		expect(newest.map(({ gate, version }) => [gate, version])).toEqual([
			['gate-a', 20],
			['gate-b', 1],
		]);
		expect(await store.newestGateConfigs(`${venue}-other`)).toEqual([]);
	},
	'a version is what was pushed, with who, when, why and the hash of its text': async (trial) => {
		const { store, venue } = trial;
		expect(await store.gateConfig(venue, 'gate-a')).toBeUndefined();
		const text = 'lanes: [] # 入口\n';
		const sha256 = createHash('sha256').update(text).digest('base64url');
		const facts = { gate: 'gate-a', version: 1, sha256, note: 'why', by: 'mina', atMs: nowMs };
		expect(await push(trial, 'gate-a', text)).toEqual(facts);
		await push(trial, 'gate-a', 'lanes: [2]');
		expect(await store.gateConfig(venue, 'gate-a', 1)).toEqual({ ...facts, text });
		expect(await store.gateConfig(venue, 'gate-a')).toMatchObject({ version: 2, text: 'lanes: [2]' });
		expect(await store.gateConfig(venue, 'gate-a', 3)).toBeUndefined();
		const copy = { venue, gate: 'gate-a', text, note: '', by: 'lin', copyOf: 1, atMs: nowMs + 1 };
		expect(await store.putGateConfig(copy)).toMatchObject({ version: 3, sha256, copyOf: 1, by: 'lin' });
		const history = await store.gateConfigHistory(venue, 'gate-a');
		expect(history.map(({ version, copyOf }) => [version, copyOf])).toEqual([
			[3, 1],
			[2, undefined],
			[1, undefined],
		]);
	},
	'a push is told to each device of that name that works, and to no other': async (trial) => {
		const { store, venue, a } = trial;
		const { sha256 } = await push(trial, 'gate-a', 'lanes: [1]');
		expect(await told(trial)).toEqual([{ kind: 'config', device: a, version: 1, sha256 }]);
		const codeHash = newRedemption();
		await store.addEnrollmentCode({ venue, name: 'gate-a', codeHash, expiresMs: nowMs + 1, replaces: true });
		const next = deviceNamed(`${venue}/next`);
		await store.enroll({ codeHash, jwk: { kty: 'OKP' }, device: next, atMs: nowMs });
		await push(trial, 'gate-a', 'lanes: [2]');
		await push(trial, 'nobody', 'lanes: [3]');
		expect((await told(trial)).map(({ device, version }) => [device, version])).toEqual([
			[a, 1],
			[next, 2],
		]);
	},
	'old versions are deleted, and their numbers are not given out again': async (trial) => {
		const { store, venue } = trial;
		for (let i = 0; i < gateConfigsKept + 2; i++) await push(trial, 'gate-a', `lanes: [${i}]`);
		const history = await store.gateConfigHistory(venue, 'gate-a');
		expect([history.length, history.at(0)?.version, history.at(-1)?.version]).toEqual([
			gateConfigsKept,
			gateConfigsKept + 2,
			3,
		]);
	},
};
