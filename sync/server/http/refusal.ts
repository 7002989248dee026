import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { type ProblemCode, problemContentType, problemOf } from '../../protocol/problem.ts';

/** Thrown in a route: the request ends with this problem. Not an operating error, and nothing is logged as one. */
export class Refusal extends Error {
	override readonly name = 'Refusal';
	readonly code: ProblemCode;
	readonly more: { readonly detail?: string; readonly retryAfterMs?: number };

	constructor(code: ProblemCode, more: { readonly detail?: string; readonly retryAfterMs?: number } = {}) {
		super(code);
		this.code = code;
		this.more = more;
	}
}

/** When a device should come back after a store that is full. */
const busyRetryMs = 1_000;

/** Operating errors that are the fault of what was asked. */
const byCode: Readonly<Record<string, ProblemCode>> = {
	order_differs: 'order_differs',
	ticket_invalid: 'malformed',
	keys_missing: 'forbidden',
	keys_changed: 'forbidden',
	keys_invalid: 'malformed',
	usage: 'malformed',
	authority_lost: 'stale_authority',
	redemption_differs: 'malformed',
	name_taken: 'name_taken',
	key_enrolled: 'key_enrolled',
	device_unknown: 'not_found',
	case_unknown: 'not_found',
	order_unknown: 'not_found',
	order_closed: 'order_differs',
	event_unknown: 'not_found',
	session_unknown: 'not_found',
	venue_unknown: 'not_found',
};

/** Makes every refusal and error of an app an RFC 9457 problem that says what to do. */
export function addRefusals(app: FastifyInstance): void {
	app.setNotFoundHandler((_request, reply) => sendRefusal(reply, new Refusal('not_found')));
	app.setErrorHandler((error: unknown, request, reply) => {
		const refusal = refusalOf(error);
		if (refusal.code === 'internal') request.log.error({ event: 'request_failed', err: error });
		return sendRefusal(reply, refusal);
	});
}

/** Answers with a refusal. */
export function sendRefusal(reply: FastifyReply, { code, more }: Refusal): FastifyReply {
	const problem = problemOf(code, more);
	if (more.retryAfterMs !== undefined) reply.header('retry-after', String(Math.ceil(more.retryAfterMs / 1000)));
	return reply.code(problem.status).header('content-type', problemContentType).send(JSON.stringify(problem));
}

/** The refusal that an error of a route or of Fastify itself comes to. */
export function refusalOf(error: unknown): Refusal {
	if (error instanceof Refusal) return error;
	if (error instanceof StilewardError) {
		if (['server_busy', 'store_busy'].includes(error.code)) {
			return new Refusal('overloaded', { retryAfterMs: busyRetryMs });
		}
		const code = byCode[error.code];
		return code === undefined ? new Refusal('internal') : new Refusal(code, { detail: error.message });
	}
	// Fastify's own errors carry a code; others are a bug or a broken store.
	const { code, validation, message, statusCode = 500 } = error as FastifyError;
	if (validation) return new Refusal('malformed', { detail: message });
	if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Refusal('too_large');
	// Also a body that broke off: whoever sent it does not hear of it.
	if (statusCode >= 400 && statusCode < 500) return new Refusal('malformed');
	return error instanceof SyntaxError ? new Refusal('malformed') : new Refusal('internal');
}
