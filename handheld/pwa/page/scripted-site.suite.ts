import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The page over its scripted handheld, built and served as strictly as the ticket server does. */
export interface ScriptedSite {
	/** Ends with `/handheld/`. */
	readonly url: string;
	close(): Promise<void>;
}

const root = fileURLToPath(new URL('../../..', import.meta.url));
const base = '/handheld/';

const mediaTypes: Readonly<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript',
	'.css': 'text/css',
	'.svg': 'image/svg+xml',
	'.png': 'image/png',
	'.webmanifest': 'application/manifest+json',
};

const policy = [
	"default-src 'none'",
	"script-src 'self' 'wasm-unsafe-eval'",
	"style-src 'self'",
	"img-src 'self'",
	"connect-src 'self'",
	"manifest-src 'self'",
	"worker-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
].join('; ');

/** Builds and serves; takes some seconds. */
export async function startScriptedSite(): Promise<ScriptedSite> {
	await promisify(execFile)(process.execPath, [join(root, 'scripts/handheld-build.ts'), '--scripted']);
	const server = createServer(async (request, reply) => {
		const path = new URL(request.url ?? '/', 'http://localhost').pathname.slice(base.length) || 'index.html';
		const body = await readFile(join(root, '.build/handheld-scripted', path)).catch(() => undefined);
		reply.writeHead(body === undefined ? 404 : 200, {
			'content-type': mediaTypes[extname(path)] ?? 'application/octet-stream',
			'content-security-policy': policy,
		});
		reply.end(body);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	// A server that listens on TCP has an address of this form.
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://127.0.0.1:${port}${base}`,
		close: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
