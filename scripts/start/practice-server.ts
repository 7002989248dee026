import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import {
	assetReply,
	escapeHtml,
	jsonReply,
	type OpenServer,
	openServer,
	type Reply,
	textReply,
} from '../../gate-agent/display/http-reply.ts';
import { type AssetSource, type Assets, loadAssets } from '../../gate-agent/display/page-assets.ts';
import { createEventStreams, type EventStreams } from '../../gate-agent/display/sse.ts';
import type { Logger } from '../../gate-agent/logger.ts';
import { drawPng, qrCode } from '../commands/qr.ts';
import { laneIds, sampleNames } from './page/practice-wire.ts';
import { readAction } from './practice-actions.ts';
import type { PracticeVenue } from './practice-venue.ts';
import { type PracticeWatch, watchVenue } from './practice-watch.ts';

const pageSources: readonly AssetSource[] = [
	'scripts/start/page/start.html',
	'scripts/start/page/start.css',
	'scripts/start/page/start.ts',
	'scripts/start/page/chain-view.ts',
	'scripts/start/page/controls.ts',
	'scripts/start/page/page-view.ts',
	'scripts/start/page/practice-api.ts',
	'scripts/start/page/practice-wire.ts',
	'scripts/start/page/turnstile-view.ts',
	'scripts/start/page/handheld-panel.ts',
	'scripts/start/page/journal-view.ts',
	'scripts/start/page/lane-panel.ts',
	'scripts/start/page/lane-view.ts',
	'scripts/start/page/server-panel.ts',
	'scripts/start/page/server-words.ts',
	'scripts/start/page/story-view.ts',
	'scripts/start/page/journal-words.ts',
	'scripts/start/page/words.ts',
	'gate-agent/display/page/icon.svg',
	'gate-agent/display/page/render.ts',
	'gate-agent/core/errors.ts',
	'gate-agent/core/refusal-texts.ts',
	'gate-agent/core/texts.ts',
].map((path) => ({ path: `/assets/${path}`, file: new URL(`../../${path}`, import.meta.url) }));

const pagePath = '/assets/scripts/start/page/start.html';

/** The one channel of the event streams. */
const channel = 'practice';

/** Where the page is served, and which venue it shows. */
export interface PracticeServerOptions {
	readonly port: number;
	readonly venue: PracticeVenue;
	readonly log: Logger;
}

/** The server of the page; `changed` sends the lanes' state to it. */
export interface PracticeServer extends OpenServer {
	changed(): void;
}

/**
 * Serves the practice page on loopback. Its actions open a gate, if only a drawn one, so they are guarded as if it were
 * real: only pages of this very address may send them, with a secret that the page carries, and only under a loopback
 * name (a foreign name that resolves to loopback reads nothing). Rejects with `address_unavailable`.
 */
export async function startPracticeServer({ port, venue, log }: PracticeServerOptions): Promise<PracticeServer> {
	const assets = await loadAssets(pageSources);
	const streams = createEventStreams();
	const send = (event: string, data: unknown) => streams.send(channel, { event, data });
	const watch = watchVenue(venue, send, log);
	const context = { assets, venue, streams, watch, secret: randomBytes(24).toString('base64url') };
	const server = await openServer({
		host: '127.0.0.1',
		port,
		methods: () => ['GET', 'POST'],
		log: (event, fields) => log.warn({ event, ...fields }),
		handler: (path, request, response) => {
			if (!isLoopbackName(request)) return textReply(421, 'Open this page as http://127.0.0.1 or http://localhost.');
			if (request.method === 'POST') return handlePost(context, path, request);
			if (path !== '/events') return handleGet(context, path);
			if (streams.add(channel, response, watch.first())) return undefined;
			return textReply(503, 'Too many pages are open. Close some.', { 'retry-after': '5' });
		},
	}).catch((error: unknown) => {
		watch.stop();
		streams.close();
		throw error;
	});
	return {
		url: server.url,
		changed: watch.changed,
		close: () => {
			watch.stop();
			streams.close();
			return server.close();
		},
	};
}

interface Context {
	readonly assets: Assets;
	readonly venue: PracticeVenue;
	readonly streams: EventStreams;
	readonly watch: PracticeWatch;
	/** Proves that an action comes from a page that this server sent. */
	readonly secret: string;
}

function handleGet({ assets, venue, secret }: Context, path: string): Reply {
	if (path === '/') return page(assets, venue, secret);
	const asset = assets.get(path);
	if (asset !== undefined) return assetReply(asset);
	return ticketReply(venue, path) ?? textReply(404, 'Nothing is here. The page is at /.');
}

/** The code of a sample, drawn or as it is: its text is what goes to the clipboard, without a line's end. */
function ticketReply(venue: PracticeVenue, path: string): Reply | undefined {
	const sample = sampleNames.find((name) => path === `/tickets/${name}.png` || path === `/tickets/${name}.txt`);
	if (sample === undefined) return undefined;
	const { code } = venue.samples()[sample];
	const headers = { 'cache-control': 'no-store' };
	if (path.endsWith('.txt')) return { status: 200, contentType: 'text/plain; charset=utf-8', body: code, headers };
	return { status: 200, contentType: 'image/png', body: Buffer.from(drawPng(qrCode(code))), headers };
}

function page(assets: Assets, venue: PracticeVenue, secret: string): Reply {
	const template = assets.get(pagePath)?.body.toString('utf8') ?? '';
	const { lanes } = venue.state();
	const displays = laneIds.map((id) => new URL(lanes[id].display).origin).join(' ');
	return {
		status: 200,
		contentType: 'text/html; charset=utf-8',
		body: template.replace('{{secret}}', escapeHtml(secret)),
		headers: {
			'cache-control': 'no-store',
			'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src ${displays}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
		},
	};
}

async function handlePost({ venue, secret, watch }: Context, path: string, request: IncomingMessage): Promise<Reply> {
	const refused = guard(request, secret);
	if (refused !== undefined) return refused;
	if (path !== '/actions') return textReply(404, 'Nothing is here.', closing);
	const action = await readAction(request);
	if (action === undefined) return textReply(400, 'This is not an action.', closing);
	try {
		await venue.act(action);
		watch.changed();
		return jsonReply(200, { ok: true });
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return jsonReply(409, { ok: false, code: error.code, problem: error.message });
	}
}

/** A body that was not read to its end may follow, so the connection is given up. */
const closing = { connection: 'close' };

/** Refuses an action that no page of this server sent. */
function guard({ headers }: IncomingMessage, secret: string): Reply | undefined {
	const site = headers['sec-fetch-site'];
	const sameOrigin = headers.origin === `http://${headers.host}` && (site === undefined || site === 'same-origin');
	const given = Buffer.from(String(headers['x-practice-secret'] ?? ''));
	const expected = Buffer.from(secret);
	const knows = given.length === expected.length && timingSafeEqual(given, expected);
	if (!sameOrigin || !knows) return textReply(403, 'Reload the page: it belongs to another run.', closing);
	if (headers['content-type'] !== 'application/json') return textReply(415, 'Actions are JSON.', closing);
	return undefined;
}

function isLoopbackName({ headers }: IncomingMessage): boolean {
	return /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/.test(headers.host ?? '');
}
