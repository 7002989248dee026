import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemContentType, problemOf } from '../../protocol/problem.ts';
import { Refusal, refusalOf, sendRefusal } from './refusal.ts';

/** Answers what arrived as no HTTP request at all, in the form of every refusal, and closes the connection. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
	if (error.code !== 'ECONNRESET' && socket.writable) {
		const { code, more } = refusalOfConnection(error);
		const { status, ...problem } = problemOf(code, more);
		const body = JSON.stringify({ ...problem, status });
		const head = [
			`HTTP/1.1 ${status} Refused`,
			`content-type: ${problemContentType}`,
			`content-length: ${Buffer.byteLength(body)}`,
			'connection: close',
		];
		socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
	}
	socket.destroySoon();
}

function refusalOfConnection({ code }: NodeJS.ErrnoException): Refusal {
	if (code === 'HPE_HEADER_OVERFLOW') return new Refusal('too_large', { detail: 'the head of the request' });
	if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
		return new Refusal('malformed', { detail: 'it did not come to an end in time' });
	return new Refusal('malformed', { detail: 'it is no HTTP request' });
}

/** Answers a request that has no route because its address cannot be read. */
export function refuseAddress(error: unknown, _request: FastifyRequest, reply: FastifyReply): void {
	sendRefusal(reply, refusalOf(error));
}
