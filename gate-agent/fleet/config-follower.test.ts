import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigOffer } from '../../sync/protocol/gate-config.ts';
import { StilewardError } from '../core/errors.ts';
import { type ConfigFollower, openConfigFollower, type Setting } from './config-follower.ts';
import { configStateFile, openConfigState } from './config-state.ts';

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'stileward-pushed-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const device = 'D'.repeat(43);
const gate = 'gate-1';

function offer(version: number, text = `lanes ${version}`): ConfigOffer {
	return { version, text, sha256: createHash('sha256').update(text).digest('base64url') };
}

interface Opened {
	readonly device?: string;
	/** Whether the gate's own file has lanes. */
	readonly hasOwn?: boolean;
	/** Whether the disk takes no more. */
	readonly isFull?: () => boolean;
	readonly understands?: (text: string) => boolean;
}

/** A follower on the folder of this test, as one process has it. Its configurations are their own texts. */
async function open({
	device: own = device,
	hasOwn = true,
	isFull = () => false,
	understands = (text) => !text.includes('bad'),
}: Opened = {}): Promise<ConfigFollower<string>> {
	const store = openConfigState(dir);
	return openConfigFollower<string>({
		device: own,
		store: {
			load: store.load,
			save: async (state) => {
				if (isFull()) throw new StilewardError('output_failed', 'no space');
				await store.save(state);
			},
		},
		judge: ({ text }) =>
			understands(text) ? { kind: 'valid', config: text } : { kind: 'invalid', why: `${text} has no lanes` },
		own: () => {
			if (!hasOwn) throw new StilewardError('config_invalid', 'lanes is missing');
			return 'own';
		},
		log: () => undefined,
	});
}

async function begun(follower: ConfigFollower<string>, now: Setting<string>, pushed: ConfigOffer) {
	await follower.offer({ gate, newest: pushed });
	const trial = await follower.begin(now);
	if (!trial) throw new Error('the trial did not begin');
	return trial;
}

describe('what a gate runs', () => {
	it('is its own file until a push has proven itself, and that from then on', async () => {
		const first = await open();
		const now = await first.start();
		expect([now, first.report(), first.heard()]).toEqual([{ config: 'own', state: 'own' }, undefined, {}]);
		const trial = await begun(first, now, offer(1));
		expect(trial).toMatchObject({ config: 'lanes 1', state: 'trial', before: { config: 'own' } });
		expect(first.report()).toEqual({ state: 'trial', version: 1 });
		expect(await first.confirm(trial)).toBe(true);
		expect(first.report()).toEqual({ state: 'confirmed', version: 1 });
		expect((await stat(join(dir, configStateFile))).mode & 0o777).toBe(0o600);
		const next = await open();
		expect(await next.start()).toMatchObject({ config: 'lanes 1', state: 'confirmed' });
		expect(next.heard()).toEqual({ heard: `1.${offer(1).sha256}` });
	});

	it('is what was before, where a trial broke off, and that version is tried no more', async () => {
		const first = await open();
		await first.confirm(await begun(first, await first.start(), offer(1)));
		await begun(first, await first.start(), offer(2));
		// The process is gone.
		const next = await open();
		expect(await next.start()).toMatchObject({ config: 'lanes 1', state: 'confirmed' });
		const why = expect.stringContaining('lost its power');
		expect(next.report()).toEqual({ state: 'confirmed', version: 1, refused: { version: 2, why } });
		await next.offer({ gate, newest: offer(2) });
		expect(next.pending()).toBeUndefined();
		await (await open()).offer({ gate, newest: offer(2) });
		expect((await open()).report()).toMatchObject({ refused: { version: 2, why } });
		// The same text under a new number is an operator's word.
		await next.offer({ gate, newest: offer(3, 'lanes 2') });
		expect(next.pending()).toMatchObject({ version: 3 });
	});

	it('is what was before, where the gate is told to end in a trial, and that version may be tried again', async () => {
		const first = await open();
		await first.withdraw(await begun(first, await first.start(), offer(1)));
		const next = await open();
		expect(await next.start()).toEqual({ config: 'own', state: 'own' });
		await next.offer({ gate, newest: offer(1) });
		expect(next.pending()).toMatchObject({ version: 1 });
	});

	it('is its own file, where another enrollment, a damaged file or another program is there', async () => {
		const first = await open();
		await first.confirm(await begun(first, await first.start(), offer(1)));
		const other = await open({ device: 'E'.repeat(43) });
		expect([await other.start(), other.report()]).toEqual([{ config: 'own', state: 'own' }, undefined]);
		const older = await open({ understands: () => false });
		expect(await older.start()).toEqual({ config: 'own', state: 'own' });
		const whole = await readFile(join(dir, configStateFile), 'utf8');
		for (const text of ['', '{', '[]', '{}', whole.replace('lanes 1', 'lanes 9'), whole.slice(0, -20)]) {
			await writeFile(join(dir, configStateFile), text);
			const damaged = await open();
			expect(await damaged.start(), text).toEqual({ config: 'own', state: 'own' });
			// It is written anew by the next push.
			await damaged.confirm(await begun(damaged, await damaged.start(), offer(2)));
			expect(await (await open()).start()).toMatchObject({ config: 'lanes 2' });
		}
	});
});

describe('a push', () => {
	it('that is not valid, or not what its hash says, is refused and kept in mind', async () => {
		const follower = await open();
		await follower.start();
		let told = 0;
		follower.watch(() => {
			told += 1;
		});
		await follower.offer({ gate, newest: offer(1, 'bad') });
		await follower.offer({ gate, newest: { ...offer(2), text: 'lanes 3' } });
		const why = 'the text is not the one that was pushed';
		expect([told, follower.pending()]).toEqual([2, undefined]);
		expect(follower.report()).toEqual({ state: 'own', refused: { version: 2, why } });
		const next = await open();
		await next.start();
		expect([next.report(), next.heard()]).toEqual([follower.report(), { heard: `2.${offer(2).sha256}` }]);
	});

	it('whose reason is a long one is refused in a few words', async () => {
		const follower = await open();
		await follower.offer({ gate, newest: offer(1, `bad ${'x'.repeat(9_000)}`) });
		expect(follower.report()?.refused?.why).toHaveLength(400);
	});

	it('that is newer takes the place of the one that waits, and one that takes it back leaves none', async () => {
		const follower = await open();
		const now = await follower.start();
		await follower.offer({ gate, newest: offer(1) });
		await follower.offer({ gate, newest: offer(2) });
		expect(follower.pending()).toMatchObject({ version: 2 });
		const trial = await follower.begin(now);
		if (trial) await follower.confirm(trial);
		await follower.offer({ gate, newest: offer(3) });
		await follower.offer({ gate, newest: offer(2) });
		expect(follower.pending()).toBeUndefined();
		expect(await follower.begin(now)).toBeUndefined();
	});

	it('is tried only once the disk knows of it, and proven only once the disk knows that', async () => {
		let isFull = true;
		const follower = await open({ isFull: () => isFull });
		const now = await follower.start();
		await follower.offer({ gate, newest: offer(1) });
		expect(await follower.begin(now)).toBeUndefined();
		expect(follower.pending()).toMatchObject({ version: 1 });
		isFull = false;
		const trial = await follower.begin(now);
		isFull = true;
		expect(trial && (await follower.confirm(trial))).toBe(false);
		expect(follower.report()).toEqual({ state: 'trial', version: 1 });
		isFull = false;
		expect(trial && (await follower.confirm(trial))).toBe(true);
	});

	it('that failed its trial brings back what was before it', async () => {
		const follower = await open();
		const now = await follower.start();
		const trial = await begun(follower, now, offer(1));
		await follower.refuse(trial, 'not ready');
		expect(follower.report()).toEqual({ state: 'own', refused: { version: 1, why: 'not ready' } });
		expect(await (await open()).start()).toEqual({ config: 'own', state: 'own' });
	});
});

describe('a box that was enrolled to the name of another', () => {
	const enrolled = () => openConfigState(dir).save({ device, gate, enrolled: offer(4) });

	it('begins with what came at its enrollment, and keeps it once it has proven itself', async () => {
		await enrolled();
		const follower = await open({ hasOwn: false });
		const first = await follower.start();
		expect(first).toEqual({ config: 'lanes 4', state: 'trial', offer: offer(4) });
		await follower.confirm(first);
		expect(await (await open({ hasOwn: false })).start()).toMatchObject({ config: 'lanes 4', state: 'confirmed' });
	});

	it('begins with it at each start until then, because it has nothing else', async () => {
		await enrolled();
		await (await open({ hasOwn: false })).start();
		expect(await (await open({ hasOwn: false })).start()).toMatchObject({ config: 'lanes 4', state: 'trial' });
	});

	it('falls back on its own file, where that has lanes and the trial broke off', async () => {
		await enrolled();
		expect(await (await open()).start()).toMatchObject({ config: 'lanes 4', before: { config: 'own' } });
		const next = await open();
		expect(await next.start()).toEqual({ config: 'own', state: 'own' });
		expect(next.report()).toMatchObject({ state: 'own', refused: { version: 4 } });
	});

	it('cannot begin where nothing that it has is valid, and says what its own file lacks', async () => {
		await openConfigState(dir).save({ device, gate, enrolled: offer(4, 'bad') });
		await expect((await open({ hasOwn: false })).start()).rejects.toMatchObject({ code: 'config_invalid' });
		await expect((await open({ device: 'E'.repeat(43), hasOwn: false })).start()).rejects.toMatchObject({
			code: 'config_invalid',
		});
	});
});
