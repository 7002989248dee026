import type { RequestOf, ResponseOf, RouteName } from '../protocol/paths.ts';
import { jwtBearerGrant, type TokenResponse } from '../protocol/token.ts';
import { type CallDeps, callRoute, type Failure, type Outcome } from './call.ts';

/** What a session needs to prove who the device is. */
export interface SessionDeps extends CallDeps {
	/** The server of the enrollment: the audience of every assertion, whatever an answer says. */
	readonly server: string;
	/** Signs an assertion (`signDeviceAssertion`) for this nonce and server time. */
	readonly sign: (challenge: { readonly nonce: string; readonly nowMs: number }) => Promise<string>;
	/** Told of the keys that the server signs its time with from now on. */
	readonly onTimeKeys: (keys: TokenResponse['timeKeys']) => void;
}

/** Limits of one authorized call. */
export interface CallLimits {
	readonly timeoutMs: number;
	readonly signal?: AbortSignal | undefined;
}

/** Calls with an access token, which is fetched, kept and renewed here. */
export interface Session {
	call<Name extends RouteName>(
		name: Name,
		request: RequestOf<Name>,
		limits: CallLimits,
	): Promise<Outcome<ResponseOf<Name>>>;
	/** A token that is good now, for a call that is not made here, such as a stream. */
	token(signal?: AbortSignal): Promise<Outcome<string>>;
	/** Forgets a token that a server refused. */
	refused(token: string): void;
}

/** A token is renewed in the background from this share of its life on, so that no lane waits for it. */
const renewAtShare = 0.8;

/** How long fetching a nonce or a token may take. */
const tokenTimeoutMs = 10_000;

interface Token {
	readonly text: string;
	readonly renewMs: number;
	readonly untilMs: number;
}

/** Makes a session. Nothing is fetched before the first call. */
export function createSession(deps: SessionDeps): Session {
	let current: Token | undefined;
	let fetching: Promise<Outcome<Token>> | undefined;

	function renew(): Promise<Outcome<Token>> {
		fetching ??= fetchToken(deps).then((outcome) => {
			fetching = undefined;
			if (outcome.kind === 'ok') current = outcome.body;
			return outcome;
		});
		return fetching;
	}

	async function token(): Promise<Outcome<string>> {
		const nowMs = deps.clock.monoMs();
		if (current !== undefined && nowMs < current.untilMs) {
			if (nowMs >= current.renewMs) void renew();
			return { kind: 'ok', body: current.text };
		}
		const outcome = await renew();
		return outcome.kind === 'ok' ? { kind: 'ok', body: outcome.body.text } : outcome;
	}

	function refused(text: string): void {
		if (current?.text === text) current = undefined;
	}

	return {
		token,
		refused,
		call: async (name, request, limits) => {
			for (let attempt = 1; ; attempt++) {
				const got = await token();
				if (got.kind !== 'ok') return got;
				const outcome = await callRoute(deps, { name, request, token: got.body, ...limits });
				if (outcome.kind !== 'refused' || outcome.code !== 'token_invalid') return outcome;
				// A server that was restarted knows no old tokens; one that refuses a fresh one is not asked for a third.
				refused(got.body);
				if (attempt === 2) return outcome;
			}
		},
	};
}

async function fetchToken(deps: SessionDeps): Promise<Outcome<Token>> {
	const nonce = await callRoute(deps, { name: 'nonce', request: {}, timeoutMs: tokenTimeoutMs });
	if (nonce.kind !== 'ok') return nonce;
	if (nonce.body.server !== deps.server)
		return { kind: 'bad_answer', why: 'it is another server than the enrolled one' };
	const assertion = await deps.sign({ nonce: nonce.body.nonce, nowMs: nonce.body.nowMs });
	const request = { grant_type: jwtBearerGrant, assertion } as const;
	const startedMs = deps.clock.monoMs();
	const outcome = await callRoute(deps, { name: 'token', request, timeoutMs: tokenTimeoutMs });
	if (outcome.kind !== 'ok') return outcome satisfies Failure;
	const { access_token: text, expires_in: seconds, timeKeys } = outcome.body;
	deps.onTimeKeys(timeKeys);
	// Its life is counted from the question, because the answer may have been on its way for long.
	const lifeMs = seconds * 1000;
	return { kind: 'ok', body: { text, renewMs: startedMs + lifeMs * renewAtShare, untilMs: startedMs + lifeMs } };
}
