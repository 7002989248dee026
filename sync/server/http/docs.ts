import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { deviceKind } from '../../protocol/report.ts';
import type { DeviceParts } from '../server-parts.ts';
import type { Device } from '../store.ts';
import type { App } from './app.ts';

/** A device that has reported within this time was heard. */
const heardMs = 120_000;

/** Adds what people and monitors read: `/openapi.json`, `/docs`, `/healthz` and `/metrics`. */
export function addDocs(app: App, { store, venue, metrics, nowMs }: DeviceParts): void {
	const hidden = { schema: { hide: true } };
	app.get('/openapi.json', hidden, async () => app.swagger());
	app.get('/docs', hidden, async (_request, reply) => {
		reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'");
		return reply.type('text/html; charset=utf-8').send(page(app.swagger().paths ?? {}));
	});
	app.get('/healthz', hidden, async (_request, reply) => {
		const { status, ...rest } = await healthOf({ store, venue, nowMs });
		return reply
			.code(status === 'ok' ? 200 : 503)
			.header('cache-control', 'no-store')
			.send({ status, venue, ...rest });
	});
	app.get('/metrics', hidden, async (_request, reply) =>
		reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.text()),
	);
}

/** `stale_authority`: it serves and takes journals in, and grants nothing until an operator begins a new epoch. */
async function healthOf({ store, venue, nowMs }: Pick<DeviceParts, 'store' | 'venue' | 'nowMs'>) {
	try {
		const head = await store.head(venue);
		if (head === undefined) return { status: 'no_venue' } as const;
		const heard = heardOf(await store.devices(venue), nowMs() - heardMs);
		return { status: head.behind === undefined ? 'ok' : 'stale_authority', ...head, heard } as const;
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		// Whoever watches a server reads this; each request that fails says it in the log.
		return { status: error.code } as const;
	}
}

/** Devices that have said something since, by kind: a handheld that is put away is nobody's worry, a silent gate is. */
function heardOf(devices: readonly Device[], sinceMs: number) {
	const reports = devices.flatMap(({ report }) => (report !== undefined && report.atMs >= sinceMs ? [report] : []));
	const handhelds = reports.filter(({ version }) => deviceKind(version) === 'handheld').length;
	return { gates: reports.length - handhelds, handhelds };
}

interface Operation {
	readonly summary?: string;
	readonly tags?: readonly string[];
	readonly parameters?: unknown;
	readonly requestBody?: unknown;
	readonly responses?: unknown;
}

function page(paths: object): string {
	const calls = Object.entries(paths).flatMap(([path, methods]) =>
		// OpenAPI: the members of a path are its methods.
		Object.entries(methods as Record<string, Operation>).map(([method, operation]) => call(method, path, operation)),
	);
	return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Stileward server</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;
padding:0 1rem}pre{background:#f4f4f4;padding:1rem;overflow:auto}summary{cursor:pointer;padding:.4rem 0}
code{font-size:1em}small{color:#555}</style><h1>Stileward server</h1>
<p>Every call of this server. Programs read <code>/openapi.json</code>.</p>${calls.join('')}</html>`;
}

function call(
	method: string,
	path: string,
	{ summary = '', tags = [], parameters, requestBody, responses }: Operation,
) {
	const schema = escapeHtml(JSON.stringify({ parameters, requestBody, responses }, undefined, 2));
	const title = `<code>${method.toUpperCase()} ${escapeHtml(path)}</code> ${escapeHtml(summary)}`;
	return `<details><summary>${title} <small>${escapeHtml(tags.join(', '))}</small></summary><pre>${schema}</pre></details>`;
}

function escapeHtml(text: string): string {
	return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
