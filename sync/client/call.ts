import { addressOf, isResponse, type RequestOf, type ResponseOf, type RouteName, routes } from '../protocol/paths.ts';
import { type ProblemCode, problemContentType, readProblem } from '../protocol/problem.ts';
import { type ClientClock, withDeadline } from './client-clock.ts';
import type { HttpCall, Transport } from './transport.ts';

/** Why a call brought nothing. None of these is an exception: at a gate they are Tuesday. */
export type Failure =
	/** No connection, or it broke. */
	| { readonly kind: 'offline' }
	| { readonly kind: 'timeout' }
	/** Somebody answered, but not a server of ours: a portal's page, a redirect, a proxy's error. */
	| { readonly kind: 'captive_portal' }
	| {
			readonly kind: 'refused';
			readonly code: ProblemCode;
			readonly detail?: string;
			readonly retryAfterMs?: number;
	  }
	/** JSON, but not of this call: a damaged or lying server. */
	| { readonly kind: 'bad_answer'; readonly why: string }
	/** The caller gave up. */
	| { readonly kind: 'aborted' };

/** What became of a call. */
export type Outcome<T> = { readonly kind: 'ok'; readonly body: T } | Failure;

/** What a call needs. */
export interface CallDeps {
	readonly transport: Transport;
	readonly clock: ClientClock;
}

/** One call of the protocol. */
export interface RouteCall<Name extends RouteName> {
	readonly name: Name;
	readonly request: RequestOf<Name>;
	readonly timeoutMs: number;
	readonly token?: string;
	readonly signal?: AbortSignal | undefined;
}

/** Makes one call. Resolves at the latest when its time is over, whatever the transport does, and never rejects. */
export async function callRoute<Name extends RouteName>(
	{ transport, clock }: CallDeps,
	call: RouteCall<Name>,
): Promise<Outcome<ResponseOf<Name>>> {
	try {
		const ended = await withDeadline(clock, call, (signal) => transport.send(httpCallOf(call, signal)));
		return ended.kind === 'done' ? readReply(call.name, ended.value) : { kind: ended.kind };
	} catch {
		// What broke is the transport's to log; what to do is the same for all of it.
		return { kind: 'offline' };
	}
}

/** The HTTP form of a call. */
export function httpCallOf<Name extends RouteName>(
	{ name, request, timeoutMs, token }: RouteCall<Name>,
	signal: AbortSignal,
): HttpCall {
	const { method } = routes[name];
	return {
		method,
		path: addressOf(name, request),
		headers: { accept: 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
		...(method === 'POST' && { body: request }),
		timeoutMs,
		signal,
	};
}

function readReply<Name extends RouteName>(
	name: Name,
	reply: { readonly status: number; readonly contentType: string; readonly text: string },
): Outcome<ResponseOf<Name>> {
	const type = reply.contentType.split(';', 1)[0]?.trim().toLowerCase();
	const isProblem = type === problemContentType;
	if (!isProblem && type !== 'application/json') return { kind: 'captive_portal' };
	const value = parse(reply.text);
	if (reply.status >= 200 && reply.status < 300) {
		if (isResponse(name, value)) return { kind: 'ok', body: value };
		return { kind: 'bad_answer', why: `it is not the answer to ${name}` };
	}
	const problem = isProblem ? readProblem(value) : undefined;
	return problem === undefined ? { kind: 'captive_portal' } : { kind: 'refused', ...problem };
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
