import type { X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

/** How far a connection to a server came. `code` is Node's. */
export type Handshake =
	| { readonly kind: 'unreachable'; readonly code: string }
	| { readonly kind: 'no_tls'; readonly code: string }
	| { readonly kind: 'certificate'; readonly certificate: X509Certificate };

const connectMs = 5_000;
/** More of an answer than this is not read. */
const bytesMax = 64 * 1024;

/** Connects, looks at the certificate that is shown, and says nothing: nothing is trusted here. */
export function shakeHands(host: string, port: number): Promise<Handshake> {
	return new Promise((resolve) => {
		let isConnected = false;
		const name = isIP(host) === 0 ? { servername: host } : {};
		const socket: TLSSocket = connect({ host, port, rejectUnauthorized: false, ...name });
		const end = (handshake: Handshake) => {
			clearTimeout(timer);
			socket.destroy();
			resolve(handshake);
		};
		const failed = (code: string) => end({ kind: isConnected ? 'no_tls' : 'unreachable', code });
		const timer = setTimeout(() => failed('ETIMEDOUT'), connectMs);
		socket.once('connect', () => {
			isConnected = true;
		});
		socket.once('secureConnect', () => {
			const certificate = socket.getPeerX509Certificate();
			end(certificate ? { kind: 'certificate', certificate } : { kind: 'no_tls', code: 'no certificate' });
		});
		socket.on('error', ({ code }: NodeJS.ErrnoException) => failed(code ?? 'unknown'));
	});
}

/** What an unknown server answers to the question of the time, which holds no secret. */
export interface StrangersAnswer {
	readonly status: number;
	readonly contentType: string;
}

/** Asks a server that is not the pinned one: a login page of a network answers with itself, whatever it is asked. */
export function askStranger(url: string, path: string): Promise<StrangersAnswer | undefined> {
	return new Promise((resolve) => {
		const asked = request(
			`${url}${path}`,
			{ rejectUnauthorized: false, agent: false, timeout: connectMs },
			(answer) => {
				let bytes = 0;
				answer.on('data', (part: Buffer) => {
					bytes += part.length;
					if (bytes > bytesMax) answer.destroy();
				});
				answer.on('error', () => {});
				resolve({ status: answer.statusCode ?? 0, contentType: String(answer.headers['content-type'] ?? '') });
			},
		);
		asked.once('timeout', () => asked.destroy());
		asked.once('error', () => resolve(undefined));
		asked.end();
	});
}
