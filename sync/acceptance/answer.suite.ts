import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { HttpsAnswer } from '../node/https-client.ts';
import { type ProblemCode, problemContentType, problems } from '../protocol/problem.ts';

/** What a server answered, its JSON read. */
export interface Answer {
	readonly status: number;
	readonly type: string;
	/** The JSON; the bare text where it is none. */
	readonly body: unknown;
}

/** Reads an answer. */
export function readAnswer({ status, headers, body }: HttpsAnswer): Answer {
	const bytes = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
	return { status, ...contentOf(headers['content-type'] ?? '', bytes.toString()) };
}

/** The media type of an answer without its parameters, and its body. */
export function contentOf(contentType: string, text: string): Pick<Answer, 'type' | 'body'> {
	const type = contentType.split(';', 1)[0]?.trim() ?? '';
	return { type, body: /^application\/(problem\+)?json$/.test(type) ? JSON.parse(text) : text };
}

/** The body of an answer that must be good. The caller says what the call gives. */
export function bodyOf<T>({ status, body }: Answer): T {
	expect(status, JSON.stringify(body)).toBe(200);
	return body as T;
}

/** An answer must be this refusal, in the form of every refusal, and say what to do. */
export function expectRefusal(answer: Answer, code: ProblemCode): void {
	const [status, title, hint] = problems[code];
	expect(answer.body).toMatchObject({ type: `urn:stileward:problem:${code}`, title, status, code, hint });
	expect(answer).toMatchObject({ status, type: problemContentType });
}
