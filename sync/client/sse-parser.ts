/** One event of a stream, or a sign of life without content. */
export type StreamEvent = { readonly kind: 'data'; readonly data: string } | { readonly kind: 'heartbeat' };

/** The longest event, in characters; a stream that goes on without an end of line is cut. */
export const streamEventCharsMax = 8 * 1024 * 1024;

/**
 * Reads server-sent events (WHATWG HTML §9.2.6) from chunks cut anywhere, also within a character. Only `data` is used.
 * Gives `overflow` once and nothing more where an event is too long.
 */
export function createSseParser(): (chunk: Uint8Array) => readonly StreamEvent[] | 'overflow' {
	const utf8 = new TextDecoder();
	let rest = '';
	let data: string[] = [];
	let chars = 0;
	return (chunk) => {
		rest += utf8.decode(chunk, { stream: true });
		// A return at the end may be the first half of a line's end.
		const whole = rest.endsWith('\r') ? rest.slice(0, -1) : rest;
		const lines = whole.split(/\r\n|\r|\n/);
		rest = (lines.pop() ?? '') + rest.slice(whole.length);
		const events: StreamEvent[] = [];
		for (const line of lines) {
			if (line.startsWith(':')) events.push({ kind: 'heartbeat' });
			else if (line.startsWith('data:')) {
				data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
				chars += line.length;
			} else if (line === '' && data.length > 0) {
				events.push({ kind: 'data', data: data.join('\n') });
				data = [];
				chars = 0;
			}
		}
		return chars + rest.length > streamEventCharsMax ? 'overflow' : events;
	};
}
