import { createSession } from '../sync/client/session.ts';
import { createHttpsClient } from '../sync/node/https-client.ts';
import { createHttpsTransport } from '../sync/node/https-transport.ts';
import { nodeClock } from '../sync/node/node-clock.ts';
import type { ConfigResponse } from '../sync/protocol/gate-config.ts';
import type { EnrolledGate } from './enrollment.ts';
import { openConfigState } from './fleet/config-state.ts';
import { identityOf } from './venue-link.ts';

const callTimeoutMs = 15_000;

/**
 * Asks once, at the enrollment, and keeps what the venue has for a gate of this name: what another box has proven, else what
 * was pushed before there was one. The next start tries it. Gives its version; undefined where there is none or the
 * server cannot be asked now. Rejects with `output_failed`.
 */
export async function keepFirstConfig(dir: string, gate: EnrolledGate): Promise<number | undefined> {
	const { url, fingerprint, device } = gate.enrollment;
	const https = createHttpsClient({ url, fingerprint, trustedNowMs: () => undefined });
	try {
		const { server, signAssertion: sign, onTimeKeys } = identityOf(gate);
		const transport = createHttpsTransport(https);
		const session = createSession({ transport, clock: nodeClock, server, sign, onTimeKeys });
		const outcome = await session.call('config', {}, { timeoutMs: callTimeoutMs });
		if (outcome.kind !== 'ok') return undefined;
		return await keepFirst(dir, device, outcome.body);
	} finally {
		https.close();
	}
}

async function keepFirst(
	dir: string,
	device: string,
	{ gate, newest, proven }: ConfigResponse,
): Promise<number | undefined> {
	const enrolled = proven ?? newest;
	if (enrolled === undefined) return undefined;
	await openConfigState(dir).save({ device, gate, enrolled });
	return enrolled.version;
}
