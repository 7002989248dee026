import { once } from 'node:events';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Cursor, isAhead } from '../../protocol/cursor.ts';
import { type FeedPage, feedEntriesMax } from '../../protocol/feed.ts';
import { streamHeartbeatMs } from '../../protocol/paths.ts';
import { type HeardPage, heardPage } from '../feed/feed-hub.ts';
import type { DeviceParts } from '../server-parts.ts';
import { Refusal } from './refusal.ts';

/** Bytes that may wait for a device before its stream is cut; it reconnects and goes on from its cursor. */
export const streamBacklogBytesMax = 4 * 1024 * 1024;

/** When a device should come back that has followed the authority further than this server. */
const followingRetryMs = 1_000;

/** A question for the feed. */
export interface FeedQuestion {
	readonly since: Cursor;
	/** How long an empty answer is kept back. */
	readonly waitMs: number;
	readonly request: FastifyRequest;
	readonly reply: FastifyReply;
}

/** Answers with a stream of server-sent events where the client takes one, else with one page. */
export async function answerFeed(parts: DeviceParts, question: FeedQuestion): Promise<FastifyReply> {
	const wantsStream = question.request.headers.accept?.includes('text/event-stream') === true;
	return wantsStream ? stream(parts, question) : onePage(parts, question);
}

async function onePage(parts: DeviceParts, { since, waitMs, request, reply }: FeedQuestion): Promise<FastifyReply> {
	const page = await firstPage(parts, since);
	reply.header('content-type', 'application/json').header('cache-control', 'no-store');
	if (page.entries.length > 0 || waitMs === 0) return reply.send(JSON.stringify(page));
	const text = await new Promise<string>((resolve, reject) => {
		let leave: (() => void) | false = false;
		const done = (act: () => void) => {
			clearTimeout(timer);
			if (leave) leave();
			act();
		};
		const empty = () => done(() => resolve(JSON.stringify(page)));
		const timer = setTimeout(empty, waitMs);
		request.raw.once('close', empty);
		leave = parts.feed.listen(parts.venue, since, {
			hear: ({ json }) => done(() => resolve(json)),
			gone: () => done(() => reject(new Refusal('cursor_gone'))),
			end: empty,
		});
		if (!leave) done(() => reject(new Refusal('overloaded', { retryAfterMs: 5_000 })));
	});
	return reply.send(text);
}

async function firstPage({ store, venue, log }: DeviceParts, since: Cursor): Promise<FeedPage> {
	const page = await store.feed(venue, since, feedEntriesMax);
	if (page) return page;
	const head = await store.head(venue);
	// A server that follows another authority will have it soon; its snapshot would take the device back.
	if (head && !head.behind && isAhead(since, head)) throw new Refusal('overloaded', { retryAfterMs: followingRetryMs });
	if (!head?.behind) throw new Refusal('cursor_gone');
	log.error({ event: 'authority_stale', shown: since, own: head });
	throw new Refusal('stale_authority');
}

/** Waits until a response takes more, or is gone. A stream lives for days: it keeps no listener of a wait that is over. */
async function untilRoom(response: FastifyReply['raw']): Promise<void> {
	const over = new AbortController();
	const { signal } = over;
	try {
		await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]);
	} finally {
		over.abort();
	}
}

async function stream(parts: DeviceParts, { since, reply }: FeedQuestion): Promise<FastifyReply> {
	const first = await firstPage(parts, since);
	const response = reply.raw;
	let leave: (() => void) | false = false;
	const end = () => {
		clearInterval(beat);
		if (leave) leave();
		response.end();
	};
	const beat = setInterval(() => void response.write(':\n\n'), streamHeartbeatMs);
	leave = parts.feed.listen(parts.venue, first.next, {
		hear: async (page: HeardPage) => {
			const hasRoom = response.write(page.message());
			if (hasRoom) return;
			// A device that reads the past waits for its own network; one at the head is cut when it falls too far behind.
			if (response.writableLength > streamBacklogBytesMax) response.destroy();
			else await untilRoom(response);
		},
		// A stream of the new epoch is refused with `cursor_gone`, which says what to do.
		gone: () => end(),
		end: () => end(),
	});
	if (!leave) {
		clearInterval(beat);
		throw new Refusal('overloaded', { retryAfterMs: 5_000 });
	}
	reply.hijack();
	// What hooks say of every answer: its id, and which pages may read it.
	for (const [name, value] of Object.entries(reply.getHeaders()))
		if (value !== undefined) response.setHeader(name, value);
	response.once('close', () => end());
	response.socket?.setNoDelay(true);
	// `X-Accel-Buffering` keeps nginx from holding events back.
	response.writeHead(200, {
		'content-type': 'text/event-stream',
		'cache-control': 'no-store',
		'x-accel-buffering': 'no',
	});
	// The first page comes at once, also where it is empty: the client learns that nothing on the way holds it back.
	response.write(heardPage(first).message());
	return reply;
}
