import type { Session } from '../sync/client/session.ts';
import type { Wake } from '../sync/client/wake.ts';
import type { ConfigFollower } from './fleet/config-follower.ts';

/** What takes pushed configurations, and says how they fare. */
export type ConfigLink = Pick<ConfigFollower<never>, 'offer' | 'heard' | 'report' | 'watch'>;

/** What following pushed configurations needs. */
export interface ConfigFetch {
	readonly session: Pick<Session, 'call'>;
	readonly configs: Pick<ConfigLink, 'offer' | 'heard'>;
	/** Rung when the feed tells of a push, and when the server is reached again. */
	readonly wake: Wake;
	readonly signal: AbortSignal;
}

/** How long the server may take to answer; no lane waits for it. */
const callTimeoutMs = 15_000;

/** How often it is asked without news: a push that was told to nobody is found all the same. */
const askAgainMs = 600_000;

/** How soon after a failure, such as a hub whose centre is out of reach. */
const retryMs = 30_000;

/** Asks the server for what was pushed whenever the bell rings, until the signal aborts. Never rejects for a network. */
export async function followConfigs({ session, configs, wake, signal }: ConfigFetch): Promise<void> {
	let waitMs = askAgainMs;
	while (!signal.aborted) {
		await wake.wait(waitMs, signal);
		if (signal.aborted) return;
		const outcome = await session.call('config', configs.heard(), { timeoutMs: callTimeoutMs, signal });
		// A server of an older version knows no such call.
		const isOld = outcome.kind === 'refused' && outcome.code === 'not_found';
		waitMs = outcome.kind === 'ok' || isOld ? askAgainMs : retryMs;
		if (outcome.kind === 'ok') await configs.offer(outcome.body);
	}
}
