import type { ServerResponse } from 'node:http';

/** How often a stream says that its server lives. A display gives up after two missed beats. */
export const beatMs = 2_000;

/** Bytes that may wait for a client before it is dropped; it reconnects and gets the newest state. */
export const backlogBytesMax = 64 * 1024;

/** Streams of one channel: a display, its spare, and the tabs of a few technicians. */
export const channelClientsMax = 16;

/** Streams of all channels. */
export const clientsMax = 64;

/** A set of event streams, each subscribed to one channel (WHATWG HTML, server-sent events). */
export interface EventStreams {
	/** Starts a stream. False where a limit is reached and nothing was written. */
	add(channel: string, response: ServerResponse, first: readonly StreamEvent[]): boolean;
	/** Sends to every stream of the channel; a client that does not read is dropped. */
	send(channel: string, event: StreamEvent): void;
	/** Streams that are open now. */
	size(): number;
	/** Ends every stream and stops the beat. */
	close(): void;
}

/** One event: `data` is sent as JSON, `id` lets a client tell an event that it has already seen. */
export interface StreamEvent {
	readonly event: string;
	readonly data: unknown;
	readonly id?: string;
}

/** Makes an empty set of streams with a beat of their own. */
export function createEventStreams(): EventStreams {
	const clients = new Map<ServerResponse, string>();
	const write = (response: ServerResponse, text: string) => {
		response.write(text);
		if (response.writableLength > backlogBytesMax) response.destroy();
	};
	const beat = setInterval(() => {
		const text = encode({ event: 'beat', data: null });
		for (const response of clients.keys()) write(response, text);
	}, beatMs);
	return {
		add: (channel, response, first) => {
			const inChannel = [...clients.values()].filter((name) => name === channel).length;
			if (clients.size >= clientsMax || inChannel >= channelClientsMax) return false;
			clients.set(response, channel);
			response.once('close', () => clients.delete(response));
			open(response);
			write(response, `retry: 1000\n\n${first.map(encode).join('')}`);
			return true;
		},
		send: (channel, event) => {
			const text = encode(event);
			for (const [response, name] of clients) if (name === channel) write(response, text);
		},
		size: () => clients.size,
		close: () => {
			clearInterval(beat);
			for (const response of clients.keys()) response.end();
		},
	};
}

function open(response: ServerResponse): void {
	// A verdict is a few hundred bytes that must leave now.
	response.socket?.setNoDelay(true);
	// `X-Accel-Buffering` keeps nginx from holding events back.
	response.writeHead(200, {
		'content-type': 'text/event-stream',
		'cache-control': 'no-store',
		'x-accel-buffering': 'no',
	});
}

function encode({ event, data, id }: StreamEvent): string {
	// JSON has no raw line breaks, so one `data:` line is enough.
	return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
