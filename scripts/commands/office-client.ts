import type { Readable } from 'node:stream';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { createHttpsClient, type HttpsClient, type HttpsRequest } from '../../sync/node/https-client.ts';
import { type Problem, problemContentType } from '../../sync/protocol/problem.ts';
import { type OfficeSession, readSession } from './office-session.ts';
import type { Terminal } from './output.ts';

/** How long a server may take, and between two lines of a long answer. */
const answerMs = 60_000;

/** A call of an operator, below `/v1/office`. */
export interface OfficeCall {
	readonly method: 'GET' | 'POST' | 'PUT';
	readonly path: string;
	readonly body?: unknown;
}

/** An operator's connection to the server of a session. */
export interface OfficeClient {
	readonly session: OfficeSession;
	/** Rejects with `server_refused`, `session_missing` and what the connection says. */
	call(call: OfficeCall): Promise<Readonly<Record<string, unknown>>>;
	/** Reads an answer of JSON lines as it comes. Throws `server_answer_invalid` where its last line is missing. */
	lines(call: OfficeCall): AsyncGenerator<Readonly<Record<string, unknown>>>;
	close(): void;
}

/** Runs work with the session of a profile. */
export async function withOffice(
	profile: string,
	terminal: Terminal,
	work: (office: OfficeClient) => Promise<void>,
): Promise<void> {
	const session = await readSession(profile, terminal.nowMs());
	const office = connectOffice(session, terminal);
	try {
		await work(office);
	} finally {
		office.close();
	}
}

/** Connects with a session that was kept, or opened just now. */
export function connectOffice(session: OfficeSession, { nowMs }: Pick<Terminal, 'nowMs'>): OfficeClient {
	return officeOf(createHttpsClient({ ...session, trustedNowMs: nowMs }), session);
}

/** Signs in and gives the session. */
export async function signIn(
	server: Pick<OfficeSession, 'url' | 'fingerprint' | 'name'> & { readonly password: string },
	terminal: Pick<Terminal, 'nowMs'>,
): Promise<OfficeSession> {
	const { url, fingerprint, name, password } = server;
	const client = createHttpsClient({ url, fingerprint, trustedNowMs: terminal.nowMs });
	try {
		const answer = await client.send({ method: 'POST', path: '/v1/office/login', body: { name, password } });
		const { token, expiresMs, venue } = readAnswer(answer);
		// The server's answer has these members.
		return { url, fingerprint, name, venue: String(venue), token: String(token), expiresMs: Number(expiresMs) };
	} finally {
		client.close();
	}
}

function officeOf(client: HttpsClient, session: OfficeSession): OfficeClient {
	const request = ({ method, path, body }: OfficeCall): HttpsRequest => ({
		method,
		path: `/v1/office${path}`,
		headers: { authorization: `Bearer ${session.token}` },
		timeoutMs: answerMs,
		...(body !== undefined && { body }),
	});
	return {
		session,
		call: async (call) => readAnswer(await client.send(request(call))),
		lines: async function* (call) {
			const { status, headers, body } = await client.open(request(call));
			if (status !== 200) {
				readAnswer({ status, headers, body: Buffer.concat(await body.toArray()) });
				return;
			}
			yield* untilDone(body);
		},
		close: () => client.close(),
	};
}

/** Reads JSON lines to the end of the answer, which `{"done":true}` must come before. */
async function* untilDone(body: Readable): AsyncGenerator<Readonly<Record<string, unknown>>> {
	let rest = '';
	let done = false;
	try {
		for await (const chunk of body.setEncoding('utf8')) {
			const lines = (rest + chunk).split('\n');
			rest = lines.pop() ?? '';
			for (const line of lines) {
				const value = JSON.parse(line) as Record<string, unknown>;
				if (value.done === true) done = true;
				else yield value;
			}
		}
	} catch (cause) {
		throw new StilewardError('server_answer_invalid', brokeOff, { cause });
	}
	if (!done) throw new StilewardError('server_answer_invalid', brokeOff);
}

const brokeOff = 'the answer broke off: ask again with the same order number, which gives the same tickets';

function readAnswer(answer: {
	readonly status: number;
	readonly headers: Readonly<Record<string, string | undefined>>;
	readonly body: Buffer;
}): Readonly<Record<string, unknown>> {
	const type = answer.headers['content-type'] ?? '';
	if (type.startsWith(problemContentType)) throw refusalOf(JSON.parse(answer.body.toString()) as Problem);
	if (answer.status !== 200 || !type.startsWith('application/json')) {
		throw new StilewardError('server_answer_invalid', `status ${answer.status} with ${type || 'no content type'}`);
	}
	return JSON.parse(answer.body.toString()) as Record<string, unknown>;
}

function refusalOf({ code, title, detail, hint }: Problem): StilewardError {
	const what = detail === undefined ? title : `${title} (${detail})`;
	if (code === 'token_invalid') return new StilewardError('session_missing', what);
	return new StilewardError('server_refused', `${what} ${hint} [${code}]`);
}
