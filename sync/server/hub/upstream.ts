import type { Logger } from 'pino';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { backoff } from '../../client/backoff.ts';
import type { ClientClock } from '../../client/client-clock.ts';
import { createWake } from '../../client/wake.ts';
import { Refusal } from '../http/refusal.ts';
import type { HubSync } from './sync-steps.ts';

/** How long the centre may keep a question open. */
const followWaitMs = 20_000;

/** How often the hub says how it stands. */
const reportEveryMs = 15_000;

/** How often it looks for what to pass on that nobody told it of. */
const pushEveryMs = 5_000;

/** How long it waits after it has passed something on: what devices bring in this time goes together. */
const pushPauseMs = 200;

const retryMs = { firstMs: 250, maxMs: 10_000 } as const;

/** What keeps a hub in step with its centre. */
export interface Upstream {
	/** Runs until the signal aborts. Following and passing on go their own way: neither waits for the other. */
	run(signal: AbortSignal): Promise<void>;
	/** Something was committed that the centre does not have. */
	wake(): void;
	/** Whether the centre was reached at the last attempt. */
	online(): boolean;
	/**
	 * Whether the centre has confirmed since this start that the hub has lost nothing. Until then nobody but the devices
	 * themselves can tell that its disk was put back.
	 */
	proven(): boolean;
	/** Whether the centre was asked for that, with or without an answer. */
	asked(): boolean;
}

/** What the loops need. */
export interface UpstreamDeps {
	readonly sync: HubSync;
	readonly clock: ClientClock;
	/** Uniform in [0, 1). */
	readonly random: () => number;
	readonly log: Logger;
}

/** Makes the loops of a hub. Nothing happens before `run`. */
export function createUpstream({ sync, clock, random, log }: UpstreamDeps): Upstream {
	const bell = createWake(clock);
	let online = false;
	let proven = false;
	let asked = false;
	let problem = '';

	function reached(): void {
		if (!online) log.info({ event: 'centre_reached' });
		online = true;
		problem = '';
	}

	async function attempt(work: () => Promise<void>): Promise<boolean> {
		try {
			await work();
			return true;
		} catch (error) {
			if (!(error instanceof Refusal) && !(error instanceof StilewardError)) throw error;
			// One line for each new problem: a centre that is down for a day fills no card.
			const why = error instanceof Refusal ? error.more.detail : error.message;
			if (error.code !== problem) log.warn({ event: 'centre_lost', code: error.code, why });
			problem = error.code;
			online = false;
			return false;
		}
	}

	const repeat = (signal: AbortSignal, work: () => Promise<void>) =>
		repeatWork({ clock, random, signal, attempt: () => attempt(work) });

	async function report(signal: AbortSignal): Promise<void> {
		try {
			if (!(await sync.report(signal))) return;
			proven = true;
			reached();
		} finally {
			asked = true;
		}
	}

	return {
		run: async (signal) => {
			const follow = repeat(signal, async () => {
				// Whether the hub lost something is asked before anything else.
				if (!online || !proven) await report(signal);
				await sync.follow(followWaitMs, signal);
				reached();
			});
			const push = repeat(signal, async () => {
				await bell.wait(pushEveryMs, signal);
				while (proven && !signal.aborted && (await sync.push(signal)));
				if (!signal.aborted) await clock.sleep(pushPauseMs, signal);
			});
			const reports = repeat(signal, async () => {
				await clock.sleep(reportEveryMs * (0.5 + random() / 2), signal);
				if (online && !signal.aborted) await report(signal);
			});
			await Promise.all([follow, push, reports]);
		},
		wake: () => bell.ring(),
		online: () => online,
		proven: () => proven,
		asked: () => asked,
	};
}

/** Repeats work; waits longer after each failure, and by chance, so that many hubs do not come back at once. */
async function repeatWork(
	work: Pick<UpstreamDeps, 'clock' | 'random'> & {
		readonly signal: AbortSignal;
		readonly attempt: () => Promise<boolean>;
	},
): Promise<void> {
	const { clock, random, signal, attempt } = work;
	let waits = backoff({ ...retryMs, random });
	while (!signal.aborted) {
		if (await attempt()) waits = backoff({ ...retryMs, random });
		else if (!signal.aborted) await clock.sleep(waits.next().value, signal);
	}
}
