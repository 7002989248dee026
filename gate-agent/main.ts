import { readFileSync, statSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { type Agent, startAgent } from './agent.ts';
import { type GateConfig, loadConfig } from './config.ts';
import { readEnrollment } from './enrollment.ts';
import { createLogger, type Logger } from './logger.ts';

/** What `gate run` is told. */
export interface RunGate {
	readonly configFile: string;
	/** `path.to.key=value`, applied over the file. */
	readonly sets?: readonly string[];
}

/**
 * Runs a gate until SIGTERM or SIGINT. Rejects where it cannot begin (`config_invalid`, `keys_*`, `ledger_*`). A bug
 * later on ends the process with exit code 70, and the lane fails as configured.
 */
export async function runGate({ configFile, sets = [] }: RunGate): Promise<void> {
	const config = loadConfig({ file: configFile, sets });
	const log = createLogger({
		level: config.logLevel,
		...(process.stdout.isTTY && { terminal: process.stdout }),
	});
	const die = (error: unknown) => {
		log.fatal({ event: 'bug', err: error });
		process.exit(70);
	};
	process.on('uncaughtException', die);
	process.on('unhandledRejection', die);
	const enrolled = await readEnrollment(config.dataDir);
	if (enrolled) tellIgnored(log, config);
	const agent = await startAgent(config, {
		log,
		clock: { systemMs: Date.now, monoMs: () => performance.now() },
		random: Math.random,
		...(enrolled && { enrolled }),
		...buildOf(),
	});
	log.info({ event: 'started', lanes: config.lanes.map(({ lane }) => lane.id), url: agent.url });
	// A gate is more often cut off than stopped: what its next start needs is written now.
	void agent.ready.then(() => flushCompileCache());
	const signal = await stopSignal();
	log.info({ event: 'stopping', signal });
	await closeOrGiveUp(agent, log);
	log.info({ event: 'stopped' });
	process.exit(0);
}

/** Rules that stand in two places are a trap: what the file says of them has no part in an enrolled gate. */
function tellIgnored(log: Logger, { policy, keysDir }: GateConfig): void {
	const ignored = [...(policy ? ['event', 'classes', 'sessions'] : []), ...(keysDir ? ['keys'] : [])];
	if (ignored.length > 0)
		log.info({ event: 'config_ignored', ignored, why: 'the gate is enrolled: its server gives them' });
}

/** A device that does not let go must not keep the service manager waiting. */
const closeTimeoutMs = 8_000;

async function closeOrGiveUp(agent: Agent, log: Logger): Promise<void> {
	const giveUp = () => {
		log.error({ event: 'stop_timeout', problem: `not everything was closed within ${closeTimeoutMs / 1000} s` });
		process.exit(1);
	};
	setTimeout(giveUp, closeTimeoutMs).unref();
	await agent.close();
}

/**
 * The first signal to stop. Later ones change nothing: npm passes on a Ctrl+C that the terminal has sent already, and
 * the second must not cut off the closing that the first began, which has a limit of its own.
 */
function stopSignal(): Promise<NodeJS.Signals> {
	return new Promise((resolve) => {
		for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, resolve);
	});
}

/** The version, and the time that this program's package file was written: certainly past. */
export function buildOf(): { version: string; buildMs: number } {
	const file = new URL('../package.json', import.meta.url);
	const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
	return { version, buildMs: statSync(file).mtimeMs };
}
