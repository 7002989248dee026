import { setTimeout as sleep } from 'node:timers/promises';
import type { GateConfig } from './config.ts';
import { StilewardError } from './core/errors.ts';
import type { Screen } from './core/lane-state.ts';
import { type Health, type HttpServer, startHttpServer } from './display/http-server.ts';
import type { Logger } from './logger.ts';
import type { Desk } from './technician/desk.ts';
import { createTechnician, technicianPath } from './technician/technician.ts';

/** Displays, health and metrics of an agent. A lane works without them, so nothing here ever rejects. */
export interface Web {
	readonly url: string | undefined;
	readonly publish: (lane: string, screen: Screen) => void;
	/** Names where screens come from, once there are lanes; until then displays say that the lane is starting. */
	show(screenOf: (lane: string) => Screen | undefined): void;
	serveHealth(health: () => Health): void;
	/** What the technician's page shows, once there are lanes. */
	serveTechnician(desk: Desk): void;
	close(): Promise<void>;
}

/** A port that another program holds is tried again this often. */
const listenRetryMs = 5_000;

const starting: Screen = { kind: 'out_of_service', missing: ['starting'] };

/** What the server of an agent shows beside screens. */
export interface WebDeps {
	readonly log: Logger;
	readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
	readonly monoMs: () => number;
}

/** Starts the server of an agent, or goes on trying while its port is taken. */
export async function startWeb(config: GateConfig, { log, metrics, monoMs }: WebDeps): Promise<Web> {
	let screenOf: (lane: string) => Screen | undefined = () => undefined;
	let health: (() => Health) | undefined;
	let server: HttpServer | undefined;
	const tell = (event: string, fields?: Readonly<Record<string, unknown>>) => log.info({ event, ...fields });
	const technician = createTechnician({ dir: config.dataDir, monoMs, log: tell });
	const stop = new AbortController();
	const listen = () =>
		startHttpServer({
			host: config.http.host,
			port: config.http.port,
			lanes: config.lanes.map(({ lane }) => ({ id: lane.id })),
			screenOf: (lane) => screenOf(lane) ?? starting,
			timeZone: config.timeZone,
			health: () => health?.() ?? { ok: false, problem: 'starting' },
			metrics,
			technician: { path: technicianPath, handle: technician.handle },
			log: tell,
		});
	const attempt = async () => {
		try {
			server = await listen();
			log.info({ event: 'http_listening', url: server.url });
		} catch (error) {
			if (!(error instanceof StilewardError)) throw error;
			log.error({ event: 'http_unavailable', code: error.code, problem: error.message, hint: error.hint });
		}
	};
	const keepTrying = async () => {
		while (!server && !stop.signal.aborted) {
			await sleep(listenRetryMs, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
			if (!stop.signal.aborted) await attempt();
		}
	};
	if (config.http.enabled) {
		if (!isLoopback(config.http.host)) log.warn({ event: 'http_exposed', host: config.http.host, problem: exposed });
		await attempt();
		void keepTrying();
	}
	return {
		get url() {
			return server?.url;
		},
		publish: (lane, screen) => server?.publish(lane, screen),
		show: (from) => {
			screenOf = from;
		},
		serveHealth: (from) => {
			health = from;
		},
		serveTechnician: technician.attach,
		close: async () => {
			stop.abort();
			technician.close();
			await server?.close();
		},
	};
}

const exposed =
	'everybody in this network can read displays, health and metrics of this gate; what can be changed asks for a PIN';

/** Whether only this machine reaches an address. */
function isLoopback(host: string): boolean {
	return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
