import type { FeedPage } from '../protocol/feed.ts';
import { isResponse, streamHeartbeatMs } from '../protocol/paths.ts';
import { type CallDeps, type Failure, httpCallOf } from './call.ts';
import { withDeadline } from './client-clock.ts';
import type { Session } from './session.ts';
import { createSseParser } from './sse-parser.ts';
import type { HttpStream } from './transport.ts';

/** What a stream says. */
export type FeedEvent = { readonly kind: 'page'; readonly page: FeedPage } | { readonly kind: 'heartbeat' };

/**
 * Why a stream ended. `buffered`: not even the first page came, as behind a proxy that holds answers back. `unopened`:
 * the server answered with something else; a poll tells what it has to say.
 */
export type StreamEnd = Failure | { readonly kind: 'ended' | 'silent' | 'buffered' | 'unopened' };

/** How long the first page may take before the stream counts as buffered. */
export const streamProofMs = 5_000;

/** A stream without even a heartbeat for this long is dead, whatever TCP says. */
export const streamSilenceMs = 3 * streamHeartbeatMs;

/** Where a stream begins, and who is told of its events. `onEvent` ends it by giving false. */
export interface StreamRequest {
	readonly since: string;
	readonly signal: AbortSignal;
	readonly onEvent: (event: FeedEvent) => Promise<boolean>;
}

/** Follows the feed as a stream until it ends. Never rejects for what the network does. */
export async function followStream(
	deps: CallDeps & { readonly session: Session },
	request: StreamRequest,
): Promise<StreamEnd> {
	const { transport, clock, session } = deps;
	const token = await session.token();
	if (token.kind !== 'ok') return token;
	const call = {
		name: 'feed',
		request: { since: request.since },
		token: token.body,
		timeoutMs: streamSilenceMs,
	} as const;
	const inner = new AbortController();
	const stop = () => inner.abort();
	request.signal.addEventListener('abort', stop, { once: true });
	try {
		const http = httpCallOf(call, inner.signal);
		const headers = { ...http.headers, accept: 'text/event-stream' };
		const limit = { timeoutMs: streamProofMs, signal: request.signal };
		const opened = await withDeadline(clock, limit, async () => transport.open?.({ ...http, headers }));
		if (opened.kind !== 'done') return { kind: opened.kind === 'timeout' ? 'buffered' : 'aborted' };
		if (opened.value === undefined) return { kind: 'buffered' };
		if (!isEventStream(opened.value)) {
			session.refused(token.body);
			return { kind: 'unopened' };
		}
		return await readStream(deps, opened.value, request);
	} catch {
		return { kind: 'offline' };
	} finally {
		request.signal.removeEventListener('abort', stop);
		inner.abort();
	}
}

function isEventStream({ status, contentType }: HttpStream): boolean {
	return status === 200 && contentType.toLowerCase().startsWith('text/event-stream');
}

async function readStream({ clock }: CallDeps, stream: HttpStream, request: StreamRequest): Promise<StreamEnd> {
	const { signal, onEvent } = request;
	const parse = createSseParser();
	const chunks = stream.chunks[Symbol.asyncIterator]();
	let proven = false;
	for (;;) {
		const timeoutMs = proven ? streamSilenceMs : streamProofMs;
		const ended = await withDeadline(clock, { timeoutMs, signal }, () => chunks.next());
		if (ended.kind !== 'done') return { kind: ended.kind === 'aborted' ? 'aborted' : proven ? 'silent' : 'buffered' };
		if (ended.value.done === true) return { kind: 'ended' };
		const events = parse(ended.value.value);
		if (events === 'overflow') return { kind: 'bad_answer', why: 'an event of the stream has no end' };
		for (const event of events) {
			proven = true;
			const read = event.kind === 'data' ? readPage(event.data) : event;
			if (read === undefined) return { kind: 'bad_answer', why: 'an event of the stream is no page of the feed' };
			if (!(await onEvent(read))) return { kind: 'ended' };
		}
	}
}

function readPage(data: string): FeedEvent | undefined {
	try {
		const page: unknown = JSON.parse(data);
		return isResponse('feed', page) ? { kind: 'page', page } : undefined;
	} catch {
		return undefined;
	}
}
