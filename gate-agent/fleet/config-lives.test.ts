import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { StilewardError } from '../core/errors.ts';
import { type ConfigFollower, openConfigFollower } from './config-follower.ts';
import { runLives, type TriedAgent } from './config-lives.ts';
import { openConfigState } from './config-state.ts';
import type { Busy } from './lanes-at-rest.ts';

/** What happens at the lanes of a gate, and what its agents did, in order. */
class Gate {
	readonly story: string[] = [];
	busy: Busy | undefined;
	/** How often somebody asked whether this is the moment. */
	looks = 0;
	/** Whether newcomers are sent back: then a passage ends. */
	#draining = false;
	/** What keeps the agent of a configuration from being ready, or from beginning at all. */
	readonly notReady = new Map<string, string>();
	readonly notBegun = new Set<string>();

	begin = async (config: string): Promise<TriedAgent & { readonly config: string }> => {
		this.story.push(`begin ${config}`);
		if (this.notBegun.has(config)) throw new StilewardError('ledger_io', 'the disk is away');
		this.#draining = false;
		return {
			config,
			busy: () => {
				this.looks += 1;
				return this.busy;
			},
			drain: async () => {
				this.#draining = true;
				if (this.busy === 'passage') {
					this.story.push('sends newcomers back');
					this.busy = undefined;
				}
			},
			resume: () => {
				this.#draining = false;
			},
			notReady: () => this.notReady.get(config),
		};
	};

	close = async ({ config }: { readonly config: string }): Promise<void> => {
		this.story.push(`close ${config}${this.#draining ? '' : ' with newcomers'}`);
	};
}

async function life(gate: Gate, trialMs = 60_000) {
	const dir = await mkdtemp(join(tmpdir(), 'stileward-lives-'));
	const ended = new AbortController();
	const follower: ConfigFollower<string> = await openConfigFollower<string>({
		...{ device: 'D'.repeat(43), store: openConfigState(dir), log: () => undefined },
		judge: ({ text }) => ({ kind: 'valid', config: text }),
		own: () => 'own',
	});
	const last = runLives({
		...{ follower, begin: gate.begin, close: gate.close, log: () => undefined, trialMs, signal: ended.signal },
		adopted: (_agent, { config }) => void gate.story.push(`adopt ${config}`),
	});
	onTestFinished(async () => {
		ended.abort();
		await last.catch(() => undefined);
		await rm(dir, { recursive: true, force: true });
	});
	const push = (version: number, text: string) => {
		const sha256 = createHash('sha256').update(text).digest('base64url');
		return follower.offer({ gate: 'gate-1', newest: { version, text, sha256 } });
	};
	const end = async () => {
		ended.abort();
		return last;
	};
	return { follower, push, end, state: () => openConfigState(dir).load(), report: () => follower.report() };
}

const patience = { timeout: 30_000, interval: 20 };

it('begins anew with what was pushed, and ends with the agent of that moment open', async () => {
	const gate = new Gate();
	const { push, report, end } = await life(gate);
	await push(1, 'one');
	await expect.poll(report, patience).toEqual({ state: 'confirmed', version: 1 });
	await push(2, 'two');
	await expect.poll(report, patience).toEqual({ state: 'confirmed', version: 2 });
	expect(await end()).toMatchObject({ config: 'two' });
	expect(gate.story).toEqual([
		'begin own',
		'close own',
		'begin one',
		'adopt one',
		'close one',
		'begin two',
		'adopt two',
	]);
});

it('goes back where a lane is not ready in time, or the agent does not begin at all', async () => {
	const gate = new Gate();
	const { push, report, end } = await life(gate, 1_500);
	gate.notReady.set('one', 'lane-1 lacks scanner');
	await push(1, 'one');
	const why = 'not ready within 2 s: lane-1 lacks scanner';
	await expect.poll(report, patience).toEqual({ state: 'own', refused: { version: 1, why } });
	gate.notBegun.add('two');
	await push(2, 'two');
	await expect.poll(report, patience).toEqual({ state: 'own', refused: { version: 2, why: 'the disk is away' } });
	await expect.poll(() => gate.story.at(-1), patience).toBe('begin own');
	expect(await end()).toMatchObject({ config: 'own' });
	expect(gate.story).toEqual([
		...['begin own', 'close own', 'begin one', 'close one', 'begin own'],
		...['close own', 'begin two', 'begin own'],
	]);
});

it.each(['fire', 'emergency'] as const)(
	'exchanges nothing during a %s, neither for a push nor to go back',
	async (what) => {
		const gate = new Gate();
		const { push, report, state, end } = await life(gate, 1_000);
		await expect.poll(() => gate.story, patience).toEqual(['begin own']);
		gate.busy = what;
		gate.notReady.set('one', 'lane-1 lacks relay');
		await push(1, 'one');
		const asked = async () => {
			const from = gate.looks;
			await expect.poll(() => gate.looks - from, patience).toBeGreaterThan(20);
		};
		await asked();
		expect([gate.story, await state()]).toEqual([['begin own'], undefined]);
		gate.busy = undefined;
		await expect.poll(report, patience).toEqual({ state: 'trial', version: 1 });
		gate.busy = what;
		// Its time is over, and it stays.
		await expect.poll(() => gate.story, patience).toEqual(['begin own', 'close own', 'begin one']);
		await end();
		expect(await state()).not.toHaveProperty('trial');
		expect(await state()).not.toHaveProperty('refused');
	},
);

it('waits for who is on the way through, and sends newcomers back only where a trial has failed', async () => {
	const gate = new Gate();
	const { push, report } = await life(gate, 1_000);
	await expect.poll(() => gate.story, patience).toEqual(['begin own']);
	gate.busy = 'passage';
	gate.notReady.set('one', 'lane-2 lacks relay');
	await push(1, 'one');
	gate.busy = undefined;
	await expect.poll(report, patience).toMatchObject({ state: 'trial' });
	gate.busy = 'passage';
	await expect.poll(report, patience).toMatchObject({ state: 'own', refused: { version: 1 } });
	await expect.poll(() => gate.story.length, patience).toBe(6);
	expect(gate.story).toEqual(['begin own', 'close own', 'begin one', 'sends newcomers back', 'close one', 'begin own']);
});
