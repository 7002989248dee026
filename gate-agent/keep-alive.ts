import type { Agent } from './agent.ts';
import type { Health } from './health.ts';
import type { Logger } from './logger.ts';
import { startHeartbeat } from './service/heartbeat.ts';
import type { ServiceManager } from './service/sd-notify.ts';

/** What joins an agent to the service manager. */
export interface KeepAlive {
	readonly agent: Pick<Agent, 'tried' | 'liveness' | 'health'>;
	readonly manager: ServiceManager;
	readonly monoMs: () => number;
	readonly log: Logger;
}

/** Beats in the time that the manager allows: one may be late, and a part may be slow for two. */
const beatsPerWatchdog = 4;

/** How often the status is told anew. */
const statusMs = 5_000;

/**
 * Tells the service manager that the agent is ready, how it does and that it lives. Ready is an agent whose lanes are
 * up and whose devices were each tried: one that is missing must not start it anew without end. Gives what stops it.
 */
export function keepAlive({ agent, manager, monoMs, log }: KeepAlive): () => void {
	const stops: (() => void)[] = [];
	let isStopped = false;
	const tell = () => manager.status(statusOf(agent.health()));
	void agent.tried.then(() => {
		if (isStopped) return;
		manager.ready();
		tell();
		const timer = setInterval(tell, statusMs);
		stops.push(() => clearInterval(timer));
	});
	const { watchdogMs } = manager;
	if (watchdogMs !== undefined) {
		stops.push(
			startHeartbeat({
				everyMs: watchdogMs / beatsPerWatchdog,
				lateMsMax: watchdogMs / 2,
				liveness: agent.liveness,
				monoMs,
				alive: manager.alive,
				onSilent: (parts) => {
					if (parts.length > 0) log.error({ event: 'parts_silent', parts });
					else log.info({ event: 'parts_answer' });
				},
			}),
		);
	}
	return () => {
		isStopped = true;
		for (const stop of stops) stop();
	};
}

/** An agent's health in one line. */
function statusOf({ ok, lanes, ledger }: Health): string {
	if (ok) return `${Object.keys(lanes).length} lane(s) work`;
	const missing = Object.entries(lanes).flatMap(([id, lane]) =>
		lane.missing.length > 0 ? [`${id} waits for ${lane.missing.join(', ')}`] : [],
	);
	const problems = [...missing, ...(ledger.ok ? [] : [`ledger: ${ledger.problem ?? ledger.integrity}`])];
	return problems.length > 0 ? problems.join('; ') : 'works, and somebody should look: see `stileward doctor`';
}
