import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { HttpCall, Transport } from '../client/transport.ts';
import { type HttpsAnswer, type HttpsClient, type HttpsRequest, httpsDefaults } from './https-client.ts';

/** Carries the calls of a sync client over a pinned connection. Ending the connections is up to who made the client. */
export function createHttpsTransport(client: HttpsClient): Transport {
	return {
		send: async (call) => {
			const answer = await client.send(requestOf(call));
			const { status } = answer;
			return { status, contentType: answer.headers['content-type'] ?? '', text: await textOf(answer) };
		},
		open: async (call) => {
			const { status, headers, body } = await client.open(requestOf(call));
			// A caller that only looks at the head leaves the body alone, also when its connection breaks.
			body.on('error', () => {});
			return { status, contentType: headers['content-type'] ?? '', chunks: body };
		},
	};
}

function requestOf({ method, path, headers, body, timeoutMs, signal }: HttpCall): HttpsRequest {
	const accept = { 'accept-encoding': 'gzip' };
	return { method, path, headers: { ...accept, ...headers }, timeoutMs, signal, ...(body !== undefined && { body }) };
}

/** A small answer can unpack into one without end, so both are measured. */
async function textOf({ headers, body }: HttpsAnswer): Promise<string> {
	const encoding = headers['content-encoding'] ?? 'identity';
	if (encoding === 'identity') return body.toString();
	if (encoding !== 'gzip') {
		throw new StilewardError('server_answer_invalid', `the answer is encoded as ${encoding}`);
	}
	try {
		const bytes = await promisify(gunzip)(body, { maxOutputLength: httpsDefaults.bytesMax });
		return bytes.toString();
	} catch (cause) {
		throw new StilewardError('server_answer_invalid', 'the answer does not unpack', { cause });
	}
}
