import { X509Certificate } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DeviceParts } from '../server-parts.ts';
import { readCertificates } from '../tls/certificates.ts';
import type { App } from './app.ts';
import type { HandheldFile, HandheldFiles } from './handheld-files.ts';
import { Refusal } from './refusal.ts';
import { notBuiltPage, trustPage } from './trust-page.ts';

/** What the handheld may load, from where: its own files, its camera, and servers of the venue. */
const handheldPolicy = [
	"default-src 'none'",
	"script-src 'self' 'wasm-unsafe-eval'",
	"style-src 'self'",
	"img-src 'self' blob: data:",
	"media-src 'self' blob: mediastream:",
	"connect-src 'self' https:",
	"worker-src 'self'",
	"manifest-src 'self'",
	"frame-ancestors 'none'",
	"base-uri 'none'",
	"form-action 'none'",
].join('; ');

/** Pages without a script, whose style stands in them. */
const pagePolicy =
	"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const hidden = { schema: { hide: true } };

/** Adds the handheld below `/handheld/`, and the page that says how a phone comes to trust this server. */
export function addHandheld(app: App, { handheld, fingerprint }: DeviceParts, chain: string): void {
	const authority = authorityOf(chain);
	app.get('/handheld', hidden, async (_request, reply) => reply.redirect('/handheld/', 308));
	app.get('/handheld/trust', hidden, async (_request, reply) =>
		sendPage(reply, trustPage({ fingerprint, certificate: authority?.fingerprint256 })),
	);
	app.get('/handheld/venue-ca.crt', hidden, async (_request, reply) => {
		if (!authority) throw new Refusal('not_found', { detail: 'this server shows a certificate of its operator' });
		return headersOf(reply, pagePolicy).type('application/x-x509-ca-cert').send(authority.raw);
	});
	app.get('/handheld/*', hidden, async (request, reply) => {
		// The router gives what the star stands for.
		const { '*': rest } = request.params as { '*': string };
		return handheld?.size ? sendFile(handheld, rest, { request, reply }) : sendNotBuilt(reply, rest);
	});
}

/** The certificate of the venue's own authority; an operator's own chain need not end in one. */
function authorityOf(chain: string): X509Certificate | undefined {
	const last = readCertificates(chain).at(-1);
	return last?.ca ? new X509Certificate(last.raw) : undefined;
}

function sendNotBuilt(reply: FastifyReply, rest: string): FastifyReply {
	if (rest !== '' && rest !== 'index.html') throw new Refusal('not_found');
	return sendPage(reply.code(404), notBuiltPage());
}

function sendPage(reply: FastifyReply, page: string): FastifyReply {
	return headersOf(reply, pagePolicy).header('cache-control', 'no-cache').type('text/html; charset=utf-8').send(page);
}

/** Sends a file as it was read when the server started, packed where the browser takes that. */
function sendFile(
	files: HandheldFiles,
	rest: string,
	{ request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): FastifyReply {
	const file = files.get(rest === '' ? 'index.html' : rest);
	if (!file) throw new Refusal('not_found');
	const body = bodyFor(file, request);
	const etag = `"${file.hash}${body === file.gzip ? '-gzip' : ''}"`;
	headersOf(reply, handheldPolicy)
		.header('cache-control', file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache')
		.header('etag', etag)
		.header('vary', 'accept-encoding');
	if (request.headers['if-none-match'] === etag) return reply.code(304).send();
	if (body === file.gzip) reply.header('content-encoding', 'gzip');
	return reply.type(file.type).send(body);
}

function bodyFor({ gzip, bytes }: HandheldFile, { headers }: FastifyRequest): Buffer {
	return gzip && /\bgzip\b/.test(String(headers['accept-encoding'] ?? '')) ? gzip : bytes;
}

function headersOf(reply: FastifyReply, policy: string): FastifyReply {
	return reply
		.header('content-security-policy', policy)
		.header('permissions-policy', 'camera=(self), bluetooth=(self), screen-wake-lock=(self)')
		.header('referrer-policy', 'no-referrer')
		.header('cross-origin-opener-policy', 'same-origin');
}
