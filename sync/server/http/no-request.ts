import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemContentType, problemOf } from '../../protocol/problem.ts';
import { Refusal, refusalOf, sendRefusal } from './refusal.ts';

/** How long the last answer of a connection may take to leave. */
const lastAnswerMs = 1_000;

/** Answers what arrived as no HTTP request at all, in the form of every refusal, and closes the connection. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
	// Errors of HTTP come after TLS; before it there is nobody whom an answer could reach.
	if (!/^(HPE|ERR_HTTP)_/.test(error.code ?? '') || !socket.writable) {
		socket.destroy();
		return;
	}
	const { code, more } = refusalOfConnection(error);
	const problem = problemOf(code, more);
	const body = JSON.stringify(problem);
	const head = [
		`HTTP/1.1 ${problem.status} Refused`,
		`content-type: ${problemContentType}`,
		`content-length: ${Buffer.byteLength(body)}`,
		'connection: close',
	];
	socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
	// Whoever sent no request may not read the answer either.
	setTimeout(() => socket.destroy(), lastAnswerMs).unref();
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
