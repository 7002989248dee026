import { randomBytes } from 'node:crypto';
import { callRoute, type Outcome } from '../sync/client/call.ts';
import { createHttpsClient } from '../sync/node/https-client.ts';
import { createHttpsTransport } from '../sync/node/https-transport.ts';
import { nodeClock } from '../sync/node/node-clock.ts';
import { signDeviceAssertion } from '../sync/protocol/device-assertion.ts';
import type { RequestOf, ResponseOf, RouteName } from '../sync/protocol/paths.ts';
import { problems } from '../sync/protocol/problem.ts';
import { jwtBearerGrant } from '../sync/protocol/token.ts';
import { StilewardError } from './core/errors.ts';
import { type Enrollment, readEnrollment, saveEnrollment } from './enrollment.ts';

const callTimeoutMs = 15_000;

/**
 * Points an enrolled gate to another server of its venue: from the centre to a hub, or back. It stays the same device
 * with the same key and journal, and trusts the new server by the pin that it has. Throws `keys_missing` where the folder
 * is not enrolled, and `server_*`.
 */
export async function pointGate({ dir, url }: { readonly dir: string; readonly url: string }): Promise<Enrollment> {
	const gate = await readEnrollment(dir);
	if (gate === undefined) throw new StilewardError('keys_missing', `${dir} is not enrolled`);
	const { device, venue, fingerprint } = gate.enrollment;
	// A box may have no time yet; the pin is what counts.
	const https = createHttpsClient({ url, fingerprint, trustedNowMs: () => undefined });
	try {
		const transport = createHttpsTransport(https);
		const ask = async <Name extends RouteName>(name: Name, request: RequestOf<Name>) =>
			answerOf(await callRoute({ transport, clock: nodeClock }, { name, request, timeoutMs: callTimeoutMs }));
		const { nonce, server, nowMs } = await ask('nonce', {});
		const jti = randomBytes(16).toString('base64url');
		const assertion = await signDeviceAssertion({ device, venue, server, nonce, jti, nowMs }, gate.key);
		const { timeKeys } = await ask('token', { grant_type: jwtBearerGrant, assertion });
		const enrollment = { ...gate.enrollment, url, server, timeKeys };
		await saveEnrollment(dir, { ...gate, enrollment });
		return enrollment;
	} finally {
		https.close();
	}
}

function answerOf<Name extends RouteName>(outcome: Outcome<ResponseOf<Name>>): ResponseOf<Name> {
	if (outcome.kind === 'ok') return outcome.body;
	if (outcome.kind === 'offline' || outcome.kind === 'timeout') {
		throw new StilewardError('server_unreachable', 'the server does not answer, or is not under the pin of this gate');
	}
	if (outcome.kind !== 'refused') {
		throw new StilewardError('server_answer_invalid', `the server answered with something else: ${outcome.kind}`);
	}
	const [, title, hint] = problems[outcome.code];
	throw new StilewardError('server_refused', [title, outcome.detail, hint].filter(Boolean).join(' '));
}
