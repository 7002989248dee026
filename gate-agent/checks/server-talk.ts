import { randomBytes } from 'node:crypto';
import { callRoute, type Failure } from '../../sync/client/call.ts';
import { createSession, type Session } from '../../sync/client/session.ts';
import type { Transport } from '../../sync/client/transport.ts';
import { createHttpsClient, type HttpsClient } from '../../sync/node/https-client.ts';
import { createHttpsTransport } from '../../sync/node/https-transport.ts';
import { nodeClock } from '../../sync/node/node-clock.ts';
import { signDeviceAssertion } from '../../sync/protocol/device-assertion.ts';
import { problems } from '../../sync/protocol/problem.ts';
import { openTime } from '../../sync/protocol/signed-time.ts';
import { StilewardError } from '../core/errors.ts';
import type { EnrolledGate } from '../enrollment.ts';
import { type Finding, found } from './finding.ts';
import type { Surroundings } from './surroundings.ts';

const timeoutMs = 5_000;
/** The gate's clock is wrong from the first figure on; from the second somebody should look, milliseconds. */
const wrongMs = 120_000;
const offMs = 2_000;

/**
 * Talks with the server that shows the pinned key: its signed time, how it says it is, and whether it takes this gate.
 * Everything that is asked only reads. `authority` is how a running agent finds its claims answered.
 */
export async function talkFindings(
	gate: EnrolledGate,
	around: Surroundings,
	authority: string | undefined,
): Promise<readonly Finding[]> {
	const { url, fingerprint } = gate.enrollment;
	// The dates were looked at before; here a wrong clock must not hide what the server says.
	const https = createHttpsClient({ url, fingerprint, trustedNowMs: () => undefined });
	const transport = createHttpsTransport(https);
	try {
		const time = await timeFindings(gate, transport, around);
		if (time.some(({ check }) => check === 'server')) return time;
		const state = await stateFindings(url, https);
		const standing = state.length > 0 ? [] : await standingFindings(url, sessionOf(gate, transport), authority);
		return [...time, ...state, ...standing];
	} finally {
		https.close();
	}
}

async function timeFindings(
	{ enrollment }: EnrolledGate,
	transport: Transport,
	{ systemMs }: Surroundings,
): Promise<readonly Finding[]> {
	const { url, timeKeys } = enrollment;
	const nonce = newNonce();
	const beganMs = systemMs();
	const outcome = await callRoute({ transport, clock: nodeClock }, { name: 'time', request: { nonce }, timeoutMs });
	const endedMs = systemMs();
	if (outcome.kind !== 'ok') return [failureFinding(url, outcome)];
	const time = await openTime(outcome.body.time, { nonce, keys: timeKeys });
	if (time === undefined)
		return [found('server_answer_wrong', url, { problem: 'its time is not signed for this question' })];
	const awayMs = Math.round((beganMs + endedMs) / 2 - time.nowMs);
	const evidence = { seconds: Math.round(awayMs / 100) / 10, roundTripMs: Math.round(endedMs - beganMs) };
	if (Math.abs(awayMs) > wrongMs) return [found('clock_wrong', 'clock', evidence)];
	return Math.abs(awayMs) > offMs ? [found('clock_off', 'clock', evidence)] : [];
}

/** What the server's own health says. */
async function stateFindings(url: string, https: HttpsClient): Promise<readonly Finding[]> {
	try {
		const { status, body } = await https.send({ method: 'GET', path: '/healthz', timeoutMs });
		if (status === 200) return [];
		const problem = statusOf(body.toString());
		return [found(problem === 'stale_authority' ? 'hub_not_granting' : 'server_failing', url, { problem, status })];
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return [found('server_unreachable', url, { error: error.message })];
	}
}

function statusOf(text: string): string {
	try {
		// Our server answers so; whatever else comes is named as it is.
		return String((JSON.parse(text) as { readonly status?: unknown }).status ?? 'unknown').slice(0, 64);
	} catch {
		return 'unknown';
	}
}

/** Whether the server takes this device, and grants: the claims that are open are asked for, which changes nothing. */
async function standingFindings(
	url: string,
	session: Session,
	authority: string | undefined,
): Promise<readonly Finding[]> {
	const outcome = await session.call('openClaims', {}, { timeoutMs });
	if (outcome.kind === 'ok') return [];
	if (outcome.kind !== 'refused') return [failureFinding(url, outcome)];
	switch (outcome.code) {
		case 'device_disabled':
		case 'device_unknown':
			return [found(outcome.code, url)];
		case 'no_authority':
		case 'stale_authority':
			// Another server may answer its claims in its place.
			return authority === 'reachable' ? [] : [found('hub_not_granting', url, { problem: outcome.code })];
		default:
			return [found('device_refused', url, { problem: outcome.code, hint: problems[outcome.code][2] })];
	}
}

function failureFinding(url: string, failure: Failure): Finding {
	switch (failure.kind) {
		case 'captive_portal':
			return found('captive_portal', url, { status: 200, type: '–' });
		case 'refused':
			return found('server_failing', url, { problem: failure.code });
		case 'bad_answer':
			return found('server_answer_wrong', url, { problem: failure.why });
		default:
			return found('server_unreachable', url, { error: failure.kind });
	}
}

function sessionOf({ enrollment, key }: EnrolledGate, transport: Transport): Session {
	const { device, venue, server } = enrollment;
	return createSession({
		...{ transport, clock: nodeClock, server },
		sign: (challenge) => signDeviceAssertion({ device, venue, server, jti: newNonce(), ...challenge }, key),
		onTimeKeys: () => {},
	});
}

function newNonce(): string {
	return randomBytes(16).toString('base64url');
}
