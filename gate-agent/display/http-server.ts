import type { ServerResponse } from 'node:http';
import { assert } from '../core/errors.ts';
import type { Screen } from '../core/lane-state.ts';
import { assetReply, escapeHtml, type Handler, jsonReply, openServer, type Reply, textReply } from './http-reply.ts';
import { type Assets, displaySources, loadAssets } from './page-assets.ts';
import { createEventStreams, type EventStreams, type StreamEvent } from './sse.ts';

/** Whether the gate works, in JSON; monitors look at `ok` (200 or 503), people at the rest. */
export interface Health {
	readonly ok: boolean;
	readonly [detail: string]: unknown;
}

/** What the server of one agent needs to know. */
export interface HttpServerOptions {
	/** The address to listen on; loopback unless the display is another machine. */
	readonly host: string;
	/** 0 takes a free port. */
	readonly port: number;
	readonly lanes: readonly { readonly id: string }[];
	/** What a lane shows now: the first event of every stream. */
	readonly screenOf: (lane: string) => Screen;
	/** IANA time zone of the venue, in which displays write times. */
	readonly timeZone: string;
	readonly health: () => Health;
	readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
	/** Answers what lies below a path of its own, also what is posted there; absent where there is no such page. */
	readonly technician?: Below;
	readonly log: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
}

/** A part of the server that another room answers. */
export interface Below {
	readonly path: string;
	readonly handle: Handler;
}

/** The agent's HTTP server while it listens. */
export interface HttpServer {
	/** `http://host:port`, without a slash at its end. */
	readonly url: string;
	/** Sends a screen to every display of the lane, at once. */
	publish(lane: string, screen: Screen): void;
	/** Ends all streams, then the server. May be called twice. */
	close(): Promise<void>;
}

/** What a display is sent: it writes the words itself. Never a token. */
export interface ScreenEvent {
	readonly screen: Screen;
	/** The gate's time, milliseconds since 1970: a display's own clock may be wrong. */
	readonly nowMs: number;
	readonly timeZone: string;
}

/**
 * Serves displays, health and metrics: `/`, `/lanes/:id`, `/lanes/:id/events`, `/healthz`, `/metrics` and the fixed
 * list of files behind the pages. Read-only, GET only, but for what lies below `technician`. Rejects with `address_unavailable` where it cannot listen.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
	// A lane is up before its display is: types are stripped meanwhile, and the first page waits for it.
	const assets = loadAssets(displaySources).catch((error: unknown) => {
		options.log('display_unavailable', { cause: String(error) });
		return undefined;
	});
	const streams = createEventStreams();
	const screens = screenEvents(options);
	const routes = { options, assets, streams, screens };
	const server = await openServer({
		host: options.host,
		port: options.port,
		methods: (path) => (isBelow(options.technician, path) ? ['GET', 'POST'] : ['GET']),
		log: options.log,
		handler: (path, request, response) =>
			isBelow(options.technician, path)
				? options.technician?.handle(path, request, response)
				: handle(routes, path, response),
	}).catch((error: unknown) => {
		streams.close();
		throw error;
	});
	return {
		url: server.url,
		publish: (lane, screen) => streams.send(lane, screens.next(lane, screen)),
		close: () => {
			streams.close();
			return server.close();
		},
	};
}

function isBelow(below: Below | undefined, path: string): boolean {
	return below !== undefined && (path === below.path || path.startsWith(`${below.path}/`));
}

/** Numbers the screens of each lane, so that a display that reconnects does not say the same verdict twice. */
interface ScreenEvents {
	readonly now: (lane: string) => StreamEvent;
	readonly next: (lane: string, screen: Screen) => StreamEvent;
}

function screenEvents({ lanes, screenOf, timeZone }: HttpServerOptions): ScreenEvents {
	const startedMs = Date.now();
	const shown = new Map(lanes.map(({ id }) => [id, 0]));
	const event = (lane: string, screen: Screen): StreamEvent => {
		const data: ScreenEvent = { screen, nowMs: Date.now(), timeZone };
		return { event: 'screen', id: `${startedMs}-${shown.get(lane) ?? 0}`, data };
	};
	return {
		now: (lane) => event(lane, screenOf(lane)),
		next: (lane, screen) => {
			const count = shown.get(lane);
			assert(count !== undefined, `screen of a lane that is not served: ${lane}`);
			shown.set(lane, count + 1);
			return event(lane, screen);
		},
	};
}

interface Routes {
	readonly options: HttpServerOptions;
	/** Undefined where they could not be made: a lane works without its display. */
	readonly assets: Promise<Assets | undefined>;
	readonly streams: EventStreams;
	readonly screens: ScreenEvents;
}

async function handle(routes: Routes, path: string, response: ServerResponse): Promise<Reply | undefined> {
	const { options } = routes;
	if (path === '/') return laneList(options.lanes);
	if (path === '/healthz') {
		const health = options.health();
		return jsonReply(health.ok ? 200 : 503, health);
	}
	if (path === '/metrics')
		return { status: 200, headers: { 'cache-control': 'no-store' }, ...(await options.metrics()) };
	const assets = await routes.assets;
	if (assets === undefined) return textReply(503, 'The display could not be started. See the log of the gate.');
	const asset = assets.get(path);
	if (asset !== undefined) return assetReply(asset);
	const lane = options.lanes.find(({ id }) => path === lanePath(id) || path === `${lanePath(id)}/events`);
	if (lane === undefined) return notFound;
	return path === lanePath(lane.id) ? displayPage(assets) : startStream(routes, lane.id, response);
}

function lanePath(id: string): string {
	return `/lanes/${encodeURIComponent(id)}`;
}

function displayPage(assets: Assets): Reply {
	const page = assets.get('/assets/display/page/display.html');
	assert(page !== undefined, 'the display is not among the assets');
	return assetReply(page);
}

function startStream({ options, streams, screens }: Routes, lane: string, response: ServerResponse): Reply | undefined {
	if (streams.add(lane, response, [screens.now(lane)])) return undefined;
	options.log('display_refused', { lane, streams: streams.size() });
	return textReply(503, 'Too many displays are connected. Close some.', { 'retry-after': '5' });
}

const notFound = textReply(404, 'Nothing is here. See / for the lanes.');

function laneList(lanes: readonly { readonly id: string }[]): Reply {
	const items = lanes.map(({ id }) => `<li><a href="${lanePath(id)}">${escapeHtml(id)}</a></li>`);
	const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stileward</title>
<link rel="stylesheet" href="/assets/display/page/display.css">
<main class="lanes">
<h1>通道显示屏<br><span lang="en">Lane displays</span></h1>
<ul>${items.join('')}</ul>
<p><a href="/healthz">healthz</a> · <a href="/metrics">metrics</a></p>
</main>
</html>
`;
	return { status: 200, contentType: 'text/html; charset=utf-8', body };
}
