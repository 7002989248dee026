import { readFileSync, statSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { resolve } from 'node:path';
import { type Agent, startAgent } from './agent.ts';
import { checkConfig, type GateConfig, readConfig } from './config.ts';
import type { ConfigSource } from './config-source.ts';
import { type EnrolledGate, readEnrollment } from './enrollment.ts';
import { type ConfigFollower, openConfigFollower, type Setting } from './fleet/config-follower.ts';
import { runLives } from './fleet/config-lives.ts';
import { openConfigState } from './fleet/config-state.ts';
import { keepAlive } from './keep-alive.ts';
import { createLogger, type Logger } from './logger.ts';
import { judgePushed } from './pushed-config.ts';
import { createRecent } from './recent.ts';
import { coilRecordFile, openCoilRecord } from './service/coil-record.ts';
import { isJournalStream } from './service/journal.ts';
import { connectServiceManager, type ServiceManager } from './service/sd-notify.ts';

/** What `gate run` is told. */
export interface RunGate {
	readonly configFile: string;
	/** `path.to.key=value`, applied over the file. */
	readonly sets?: readonly string[];
	/** How long a configuration that the server pushes may take until every lane is ready, in milliseconds. */
	readonly trialMs?: number;
}

/** Lines of the log that the technician's page can show. */
const linesKept = 100;

/** A pushed configuration has this long, unless `gate run` is told otherwise. */
const trialDefaultMs = 60_000;

/**
 * Runs a gate until SIGTERM or SIGINT, with the configuration of its file or the one that its server has pushed. Rejects
 * where it cannot begin (`config_invalid`, `keys_*`, `ledger_*`). A bug later on ends the process with exit code 70, and
 * the lane fails as configured.
 */
export async function runGate({ configFile, sets = [], trialMs = trialDefaultMs }: RunGate): Promise<void> {
	const source = readConfig({ file: configFile, sets });
	const dataDir = dataDirOf(source);
	const lines = createRecent<string>(linesKept);
	const log = createLogger({
		level: 'info',
		onLine: lines.add,
		...(process.stdout.isTTY && { terminal: process.stdout }),
		isJournal: isJournalStream(process.env.JOURNAL_STREAM, process.stdout.fd),
	});
	const die = (error: unknown) => {
		log.fatal({ event: 'bug', err: error });
		process.exit(70);
	};
	process.on('uncaughtException', die);
	process.on('unhandledRejection', die);
	const enrolled = dataDir === undefined ? undefined : await readEnrollment(dataDir);
	const manager = await connectServiceManager(process.env, (error) =>
		log.error({ event: 'service_manager_unreachable', problem: String(error) }),
	);
	const life = lifeOf({ log, lines: lines.list, enrolled, manager });
	const agent =
		enrolled && dataDir !== undefined
			? await enrolledLife(life, { source, dataDir, device: enrolled.enrollment.device, trialMs })
			: await ownLife(life, checkConfig(source));
	await agent.close();
	log.info({ event: 'stopped' });
	process.exit(0);
}

/** Where the file says that the data lies, before anything else of it is checked. */
function dataDirOf({ value }: ConfigSource): string | undefined {
	const { data } = value as { readonly data?: unknown };
	return typeof data === 'string' && data !== '' ? resolve(data) : undefined;
}

/** One process, over all agents that it runs. */
interface Life {
	readonly log: Logger;
	/** Ends with the first signal to stop. */
	readonly signal: AbortSignal;
	begin(config: GateConfig, configs?: ConfigFollower<GateConfig>): Promise<Agent>;
}

interface LifeParts {
	readonly log: Logger;
	/** Its newest lines, the newest first. */
	readonly lines: () => readonly string[];
	readonly enrolled: EnrolledGate | undefined;
	readonly manager: ServiceManager;
}

function lifeOf({ log, lines, enrolled, manager }: LifeParts): Life {
	const ended = new AbortController();
	let listens = false;
	let stopTelling = () => {};
	ended.signal.addEventListener('abort', () => {
		manager.stopping();
		stopTelling();
	});
	const monoMs = () => performance.now();
	return {
		log,
		signal: ended.signal,
		begin: async (config, configs) => {
			log.level = config.logLevel;
			if (enrolled) tellIgnored(log, config);
			// The agent before, with another configuration, has nothing to tell any more.
			stopTelling();
			const agent = await startAgent(config, {
				log,
				clock: { systemMs: Date.now, monoMs },
				random: Math.random,
				...serviceDeps(config, log, manager),
				...(enrolled && { enrolled }),
				...(configs && { configs }),
				lines,
				...buildOf(),
			});
			stopTelling = keepAlive({ agent, manager, monoMs, log });
			log.info({ event: 'started', lanes: config.lanes.map(({ lane }) => lane.id), url: agent.url });
			// A gate is more often cut off than stopped: what its next start needs is written now.
			void agent.ready.then(() => flushCompileCache());
			if (!listens) onStopSignal(log, () => ended.abort());
			listens = true;
			return agent;
		},
	};
}

/** A start that waits for the disk looks again every two seconds; the manager allows it so much more time each time. */
const startWaitsMs = 30_000;

/** What an agent does for the service manager beside telling it how it is. */
function serviceDeps({ dataDir }: GateConfig, log: Logger, manager: ServiceManager) {
	const file = coilRecordFile(process.env.RUNTIME_DIRECTORY ?? dataDir);
	return {
		coils: openCoilRecord(file, (error) => log.error({ event: 'coils_not_recorded', problem: String(error) })),
		onStartWaits: () => {
			manager.status('waits for space on its disk');
			manager.extendStart(startWaitsMs);
		},
	};
}

/** A gate that runs its own file alone. */
async function ownLife({ begin, signal }: Life, config: GateConfig): Promise<Agent> {
	const agent = await begin(config);
	if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
	return agent;
}

interface EnrolledLife {
	readonly source: ConfigSource;
	readonly dataDir: string;
	readonly device: string;
	readonly trialMs: number;
}

/** A gate that runs what its server pushes, where it does. */
async function enrolledLife(life: Life, { source, dataDir, device, trialMs }: EnrolledLife): Promise<Agent> {
	const { log: logger, signal } = life;
	const log = (event: string, fields: Readonly<Record<string, unknown>>) =>
		logger[event === 'config_refused' || event.startsWith('config_not') ? 'error' : 'info']({ event, ...fields });
	const follower = await openConfigFollower<GateConfig>({
		...{ device, store: openConfigState(dataDir), log },
		judge: (offer, gate) => judgePushed(source, offer, gate),
		own: () => checkConfig(source),
	});
	return runLives<GateConfig, Agent>({
		...{ follower, log, trialMs, signal },
		begin: (config) => life.begin(config, follower),
		close: async (agent) => {
			const tooLong = giveUpLater(logger);
			await agent.close();
			clearTimeout(tooLong);
		},
		adopted: adoptModes,
	});
}

/** A mode that was ordered outlives a restart; one that a new configuration has changed is an order as well. */
function adoptModes(agent: Agent, { config, offer, before }: Setting<GateConfig>): void {
	const statuses = agent.health().lanes;
	for (const { lane } of config.lanes) {
		const was = before?.config.lanes.find((each) => each.lane.id === lane.id)?.lane.mode;
		if (was === lane.mode || statuses[lane.id]?.mode === lane.mode) continue;
		agent.command(lane.id, { kind: 'set_mode', mode: lane.mode, by: `configuration ${offer?.version}` });
	}
}

/** Rules that stand in two places are a trap: what the file says of them has no part in an enrolled gate. */
function tellIgnored(log: Logger, { policy, keysDir }: GateConfig): void {
	const ignored = [...(policy ? ['event', 'classes', 'sessions'] : []), ...(keysDir ? ['keys'] : [])];
	if (ignored.length > 0)
		log.info({ event: 'config_ignored', ignored, why: 'the gate is enrolled: its server gives them' });
}

/** A device that does not let go must not keep the service manager waiting. */
const closeTimeoutMs = 8_000;

/** Ends the process where closing takes too long. */
function giveUpLater(log: Logger): NodeJS.Timeout {
	const giveUp = () => {
		log.error({ event: 'stop_timeout', problem: `not everything was closed within ${closeTimeoutMs / 1000} s` });
		process.exit(1);
	};
	return setTimeout(giveUp, closeTimeoutMs).unref();
}

/**
 * Heeds the first signal to stop. Later ones change nothing: npm passes on a Ctrl+C that the terminal has sent already, and
 * the second must not cut off the closing that the first began, which has a limit of its own.
 */
function onStopSignal(log: Logger, stop: () => void): void {
	let stopping = false;
	for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
		process.on(signal, () => {
			if (stopping) return;
			stopping = true;
			log.info({ event: 'stopping', signal });
			giveUpLater(log);
			stop();
		});
	}
}

/** The version, and the time that this program's package file was written: certainly past. */
export function buildOf(): { version: string; buildMs: number } {
	const file = new URL('../package.json', import.meta.url);
	const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
	return { version, buildMs: statSync(file).mtimeMs };
}
