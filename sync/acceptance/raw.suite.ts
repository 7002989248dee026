import { once } from 'node:events';
import type { TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type Answer, contentOf } from './answer.suite.ts';
import { patienceMs, type Venue } from './venue.suite.ts';

/** A bare TLS connection, for what no HTTP client would send. */
export interface RawConnection {
	readonly socket: TLSSocket;
	write(bytes: string | Buffer): void;
	/** The next whole answer; undefined where the server closes without one. */
	answer(): Promise<Answer | undefined>;
	/** Resolves once the server has closed, with the milliseconds since the connection was made. */
	closed(): Promise<number>;
	end(): void;
}

/** Connects to a venue's server. Rejects where TLS does not come about. */
export async function connectRaw(
	{ url }: Pick<Venue, 'url'>,
	options: ConnectionOptions & Partial<TcpNetConnectOpts> = {},
): Promise<RawConnection> {
	const { hostname, port } = new URL(url);
	// Whom a test speaks with is not what it tries here.
	const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ...options });
	let received = Buffer.alloc(0);
	let ended: number | undefined;
	const startedMs = performance.now();
	socket.on('data', (chunk) => {
		received = Buffer.concat([received, chunk]);
	});
	await once(socket, 'secureConnect');
	socket
		.on('error', () => {})
		.on('close', () => {
			ended = performance.now() - startedMs;
		});
	const wait = async <T>(what: string, look: () => T | undefined): Promise<T> => {
		for (;;) {
			const seen = look();
			if (seen !== undefined) return seen;
			if (performance.now() - startedMs > patienceMs) throw new Error(`${what} did not come`);
			await new Promise((resolve) => setTimeout(resolve, 5));
		}
	};
	return {
		socket,
		write: (bytes) => void socket.write(bytes),
		answer: async () => {
			const read = await wait('an answer', () => readWhole(received) ?? (ended === undefined ? undefined : 'closed'));
			if (read === 'closed') return undefined;
			received = received.subarray(read.length);
			return read.answer;
		},
		closed: () => wait('the end', () => ended),
		end: () => socket.destroy(),
	};
}

/** Sends one request as it is written and gives what the server says to it. */
export async function sendRaw(
	venue: Pick<Venue, 'url'>,
	...pieces: readonly (string | Buffer)[]
): Promise<Answer | undefined> {
	const connection = await connectRaw(venue);
	for (const piece of pieces) connection.write(piece);
	const answer = await connection.answer();
	connection.end();
	return answer;
}

/** A whole answer with a length at the beginning of what was received. */
function readWhole(received: Buffer): { readonly answer: Answer; readonly length: number } | undefined {
	const head = received.indexOf('\r\n\r\n');
	if (head < 0) return undefined;
	const [first = '', ...lines] = received.subarray(0, head).toString().split('\r\n');
	const headers = new Map(
		lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
	);
	const length = head + 4 + Number(headers.get('content-length') ?? 0);
	if (received.length < length) return undefined;
	const text = received.subarray(head + 4, length).toString();
	const content = contentOf(headers.get('content-type') ?? '', text);
	return { answer: { status: Number(first.split(' ')[1]), ...content }, length };
}
