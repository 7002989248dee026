import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { Zlib } from '../../../gate-agent/core/status-list.ts';

/** ZLIB (RFC 1950) by the platform's compression streams, which call it `deflate`. */
export const streamZlib: Zlib = {
	deflate: (bytes) => through(bytes, new CompressionStream('deflate'), Number.POSITIVE_INFINITY),
	inflate: (bytes, bytesMax) => through(bytes, new DecompressionStream('deflate'), bytesMax),
};

/** A small text can unpack into one without end, so it is measured while it comes. */
async function through(
	bytes: Uint8Array,
	stream: CompressionStream | DecompressionStream,
	bytesMax: number,
): Promise<Uint8Array> {
	// A copy, because a stream takes no view of shared memory.
	const source = new Blob([bytes.slice()]).stream().pipeThrough(stream);
	const reader = source.getReader();
	const chunks: Uint8Array[] = [];
	let length = 0;
	for (;;) {
		const { done, value } = await reader.read();
		if (done) return joined(chunks, length);
		length += value.length;
		if (length > bytesMax) {
			await reader.cancel();
			throw new StilewardError('server_answer_invalid', `it unpacks into more than ${bytesMax} bytes`);
		}
		chunks.push(value);
	}
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
	const whole = new Uint8Array(length);
	let at = 0;
	for (const chunk of chunks) {
		whole.set(chunk, at);
		at += chunk.length;
	}
	return whole;
}
