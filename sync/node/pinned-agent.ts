import { Agent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { checkChain } from './pinned-chain.ts';

/** How a client trusts its server. */
export interface PinnedAgentOptions {
	readonly fingerprint: string;
	/** Milliseconds since 1970, or undefined while this machine's clock is untrusted. */
	readonly trustedNowMs: () => number | undefined;
	/** How long a connection may take until TLS stands. */
	readonly connectMs: number;
	readonly socketsMax: number;
}

/**
 * An agent whose connections carry the first byte of a request only after the server's chain led to the pin. The
 * system's authorities play no part.
 */
export class PinnedAgent extends Agent {
	readonly #options: PinnedAgentOptions;

	constructor(options: PinnedAgentOptions) {
		// A resumed session shows no certificate, so none is kept.
		const agent: AgentOptions = { keepAlive: true, maxSockets: options.socketsMax, maxCachedSessions: 0 };
		super(agent);
		this.#options = options;
	}

	override createConnection(
		options: ConnectionOptions,
		callback: (error: Error | null, stream: Duplex) => void,
	): undefined {
		const { fingerprint, trustedNowMs, connectMs } = this.#options;
		const host = options.host ?? 'localhost';
		// TLS's own check needs the system's authorities; `checkChain` takes its place before anything is sent.
		const socket = connect({ ...options, rejectUnauthorized: false, minVersion: 'TLSv1.2' });
		const fail = (error: Error) => {
			clearTimeout(deadline);
			socket.off('error', fail).on('error', () => {});
			socket.destroy();
			// Node's types want a stream beside the error; its code looks at the error first.
			callback(error, socket);
		};
		const deadline = setTimeout(
			() => fail(new StilewardError('server_unreachable', `${host} does not complete TLS within ${connectMs} ms`)),
			connectMs,
		);
		socket.once('error', fail).once('secureConnect', () => {
			try {
				checkChain(socket.getPeerX509Certificate(), { fingerprint, host, nowMs: trustedNowMs() });
			} catch (error) {
				// `checkChain` throws only errors.
				fail(error as Error);
				return;
			}
			clearTimeout(deadline);
			socket.off('error', fail);
			callback(null, socket);
		});
		return undefined;
	}
}
