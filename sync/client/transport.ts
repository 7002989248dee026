/** One HTTP exchange as a transport carries it out. */
export interface HttpCall {
	readonly method: 'GET' | 'POST';
	/** Path and query. */
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	/** Sent as JSON. */
	readonly body?: unknown;
	readonly timeoutMs: number;
	/** Aborts when nobody waits for the answer any more. */
	readonly signal: AbortSignal;
}

/** A whole answer, whatever its status. */
export interface HttpReply {
	readonly status: number;
	/** As sent, e.g. `application/json; charset=utf-8`; empty where there is none. */
	readonly contentType: string;
	readonly text: string;
}

/** An answer that is read as it comes. */
export interface HttpStream {
	readonly status: number;
	readonly contentType: string;
	readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * How the client reaches one server. It follows no redirect, takes no answer larger than 16 MB, and trusts nothing but
 * the pin of the enrollment. It rejects where no answer came; every answer resolves.
 */
export interface Transport {
	send(call: HttpCall): Promise<HttpReply>;
	/** Absent where answers cannot be read as they come: then the feed is polled. */
	open?(call: HttpCall): Promise<HttpStream>;
}
