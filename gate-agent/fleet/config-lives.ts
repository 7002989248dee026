import { setTimeout as sleep } from 'node:timers/promises';
import { StilewardError } from '../core/errors.ts';
import type { ConfigFollower, Setting } from './config-follower.ts';
import { untilAtRest, type WorkingLanes } from './lanes-at-rest.ts';

/** A running agent, as its configuration is tried and exchanged. */
export interface TriedAgent extends WorkingLanes {
	/** What keeps a lane from working or a device from being there; undefined where all are ready. */
	notReady(): string | undefined;
}

/** What one agent after the other is made of. */
export interface LivesDeps<Config, Agent extends TriedAgent> {
	readonly follower: Pick<
		ConfigFollower<Config>,
		'start' | 'pending' | 'begin' | 'confirm' | 'refuse' | 'withdraw' | 'watch'
	>;
	/** Starts an agent. Rejects with a `StilewardError` where it cannot begin. */
	readonly begin: (config: Config) => Promise<Agent>;
	readonly close: (agent: Agent) => Promise<void>;
	/** A trial has proven itself, and this is what was before. */
	readonly adopted: (agent: Agent, proven: Setting<Config>) => void;
	readonly log: (event: string, fields: Readonly<Record<string, unknown>>) => void;
	/** How long a trial may take until every lane is ready. */
	readonly trialMs: number;
	/** Ends it; the agent of that moment stays open. */
	readonly signal: AbortSignal;
}

/** How often an agent on trial is looked at, and how long it is ready before that is believed. */
const lookMs = 100;
const steadyMs = 1_000;

/** How long a moment between two visitors is waited for before nobody is taken in any more. */
const patienceMs = 60_000;

/** The same for a trial that has failed: some lane is shut already. */
const failedPatienceMs = 5_000;

/** How long after a disk that took no note of a trial another try is made. */
const retryMs = 10_000;

/**
 * Runs one agent after the other, each with the configuration that is the word then, until the signal ends it. Gives the
 * last agent, which still runs. Rejects where the gate's own configuration, or one that has proven itself, cannot begin.
 */
export async function runLives<Config, Agent extends TriedAgent>(deps: LivesDeps<Config, Agent>): Promise<Agent> {
	let setting = await deps.follower.start();
	for (;;) {
		const agent = await begun(deps, setting);
		if (agent === undefined) {
			setting = setting.before ?? setting;
			continue;
		}
		const next = await nextSetting(deps, agent, setting);
		if (next === undefined) return agent;
		await deps.close(agent);
		setting = next;
	}
}

/** Starts an agent; undefined where a trial does not even begin, and is over. */
async function begun<Config, Agent extends TriedAgent>(
	{ follower, begin }: LivesDeps<Config, Agent>,
	setting: Setting<Config>,
): Promise<Agent | undefined> {
	try {
		return await begin(setting.config);
	} catch (error) {
		if (!(error instanceof StilewardError) || setting.state !== 'trial' || !setting.before) throw error;
		await follower.refuse(setting, error.message);
		return undefined;
	}
}

/** What the agent of this setting is exchanged for, once its lanes are at rest; undefined where all is to end. */
async function nextSetting<Config, Agent extends TriedAgent>(
	deps: LivesDeps<Config, Agent>,
	agent: Agent,
	setting: Setting<Config>,
): Promise<Setting<Config> | undefined> {
	let now = setting;
	if (now.state === 'trial') {
		const proof = await prove(deps, agent, now);
		if (proof.kind === 'ended') return withdrawn(deps, now);
		if (proof.kind === 'not_ready' && now.before) return goBack(deps, agent, { trial: now, why: proof.why });
		if (proof.kind === 'ready') now = await confirmed(deps, agent, now);
	}
	return follow(deps, agent, now);
}

type Proof =
	| { readonly kind: 'ready' }
	| { readonly kind: 'not_ready'; readonly why: string }
	/** Something newer is there, and nothing to go back to. */
	| { readonly kind: 'overtaken' }
	| { readonly kind: 'ended' };

/** A trial without anything to go back to is waited for until something newer comes. */
async function prove<Config, Agent extends TriedAgent>(
	{ follower, trialMs, signal }: LivesDeps<Config, Agent>,
	agent: Agent,
	{ before }: Setting<Config>,
): Promise<Proof> {
	const beganMs = performance.now();
	let sinceMs: number | undefined;
	while (!signal.aborted) {
		const why = agent.notReady();
		const nowMs = performance.now();
		sinceMs = why === undefined ? (sinceMs ?? nowMs) : undefined;
		if (sinceMs !== undefined && nowMs - sinceMs >= steadyMs) return { kind: 'ready' };
		if (before !== undefined && why !== undefined && nowMs - beganMs >= trialMs) return { kind: 'not_ready', why };
		if (before === undefined && follower.pending() !== undefined) return { kind: 'overtaken' };
		await sleep(lookMs, undefined, { signal }).catch(() => undefined);
	}
	return { kind: 'ended' };
}

async function goBack<Config, Agent extends TriedAgent>(
	deps: LivesDeps<Config, Agent>,
	agent: Agent,
	{ trial, why }: { readonly trial: Setting<Config>; readonly why: string },
): Promise<Setting<Config> | undefined> {
	const { follower, signal, trialMs } = deps;
	if (!(await untilAtRest(agent, { patienceMs: failedPatienceMs, signal }))) return withdrawn(deps, trial);
	await follower.refuse(trial, `not ready within ${Math.round(trialMs / 1000)} s: ${why}`);
	return trial.before;
}

/** Told to end in the middle of a trial: neither proven nor refused. */
async function withdrawn<Config, Agent extends TriedAgent>(
	{ follower }: LivesDeps<Config, Agent>,
	trial: Setting<Config>,
): Promise<undefined> {
	await follower.withdraw(trial);
}

/** Until the disk has it, it stays on trial: a crash would bring back what was before. */
async function confirmed<Config, Agent extends TriedAgent>(
	{ follower, adopted, signal }: LivesDeps<Config, Agent>,
	agent: Agent,
	trial: Setting<Config>,
): Promise<Setting<Config>> {
	while (!signal.aborted) {
		if (await follower.confirm(trial)) {
			adopted(agent, trial);
			const { before: _, ...kept } = trial;
			return { ...kept, state: 'confirmed' };
		}
		await sleep(retryMs, undefined, { signal }).catch(() => undefined);
	}
	return trial;
}

/** Waits for a version to try, and for the moment to try it. */
async function follow<Config, Agent extends TriedAgent>(
	{ follower, log, signal }: LivesDeps<Config, Agent>,
	agent: Agent,
	now: Setting<Config>,
): Promise<Setting<Config> | undefined> {
	for (;;) {
		const version = await pendingVersion(follower, signal);
		if (version === undefined) return undefined;
		const busy = agent.busy();
		if (busy !== undefined) log('config_waits', { version, for: busy });
		if (!(await untilAtRest(agent, { patienceMs, signal }))) return undefined;
		const trial = await follower.begin(now);
		if (trial !== undefined) return trial;
		agent.resume();
		// Withdrawn meanwhile, or the disk is full.
		if (follower.pending() !== undefined) await sleep(retryMs, undefined, { signal }).catch(() => undefined);
	}
}

/** Resolves with the version that is to be tried; undefined once the signal ends it. */
async function pendingVersion(
	follower: Pick<ConfigFollower<never>, 'pending' | 'watch'>,
	signal: AbortSignal,
): Promise<number | undefined> {
	const changed = Promise.withResolvers<void>();
	const end = () => changed.resolve();
	const unwatch = follower.watch(() => {
		if (follower.pending() !== undefined) changed.resolve();
	});
	signal.addEventListener('abort', end, { once: true });
	if (follower.pending() === undefined && !signal.aborted) await changed.promise;
	unwatch();
	signal.removeEventListener('abort', end);
	return signal.aborted ? undefined : follower.pending()?.version;
}
