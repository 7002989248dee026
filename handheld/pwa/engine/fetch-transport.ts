import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { HttpCall, HttpStream, Transport } from '../../../sync/client/transport.ts';

/** How a page reaches its server. */
export interface FetchTransportOptions {
	/** `https://host:port`, the page's own origin or one that answers it by CORS. */
	readonly origin: string;
	readonly fetch: typeof globalThis.fetch;
	/** Aborts once the network is gone; asked anew for each call. Absent where nobody can tell. */
	readonly networkLoss?: () => globalThis.AbortSignal;
}

/** The largest answer that is taken. */
const answerBytesMax = 16 * 1024 * 1024;

/**
 * Carries the calls of a sync client by `fetch`. No cookie goes along, no redirect is followed and no cache is asked: what
 * a portal or an old copy says is not the server's word. The browser checks the certificate; it has no other pin.
 */
export function createFetchTransport(options: FetchTransportOptions): Transport {
	return {
		send: async (call) => {
			const { status, contentType, chunks } = await openAnswer(options, call);
			return { status, contentType, text: await textOf(chunks) };
		},
		open: (call) => openAnswer(options, call),
	};
}

async function openAnswer({ origin, fetch, networkLoss }: FetchTransportOptions, call: HttpCall): Promise<HttpStream> {
	// The client's signal is the platform's; its type leaves out what the client does not use.
	const given = call.signal as globalThis.AbortSignal;
	const response = await fetch(`${origin}${call.path}`, {
		...{
			method: call.method,
			credentials: 'omit',
			redirect: 'error',
			cache: 'no-store',
			referrerPolicy: 'no-referrer',
		},
		headers: { ...call.headers, ...(call.body !== undefined && { 'content-type': 'application/json' }) },
		...(call.body !== undefined && { body: JSON.stringify(call.body) }),
		signal: networkLoss ? AbortSignal.any([given, networkLoss()]) : given,
	});
	return {
		status: response.status,
		contentType: response.headers.get('content-type') ?? '',
		chunks: chunksOf(response),
	};
}

/** Read by hand: not every browser's stream is an async iterable. Whoever stops reading ends the connection. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
	const reader = response.body?.getReader();
	if (reader === undefined) return;
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			yield value;
		}
	} finally {
		await reader.cancel().catch(() => undefined);
	}
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
	const decoder = new TextDecoder();
	let length = 0;
	let text = '';
	for await (const chunk of chunks) {
		length += chunk.length;
		if (length > answerBytesMax) {
			throw new StilewardError('server_answer_invalid', `the answer is larger than ${answerBytesMax} bytes`);
		}
		text += decoder.decode(chunk, { stream: true });
	}
	return text + decoder.decode();
}
