import type { FastifyInstance } from 'fastify';
import type { HttpCall, HttpReply } from '../../../sync/client/transport.ts';
import { assembleServer, type ServerBasis } from '../../../sync/server/assemble-server.ts';
import { createDeviceApp } from '../../../sync/server/http/app.ts';
import type { ServerParts } from '../../../sync/server/server-parts.ts';
import type { VirtualProcess, VirtualTime } from '../runtime/virtual-time.ts';
import type { Host, HostStream } from './network.ts';

/** A machine that runs the venue's server. Its disk outlives every process. */
export interface ServerMachine extends Host {
	readonly isUp: boolean;
	/** The parts of the running process. */
	parts(): ServerParts | undefined;
	start(): Promise<void>;
	/** Ends the process between two of its steps; whoever waits for it hears that the connection broke. */
	crash(): void;
}

/** What a machine needs. */
export interface MachineOptions {
	readonly name: string;
	readonly time: VirtualTime;
	readonly basis: ServerBasis;
}

/** Makes a machine whose server does not run yet. */
export function createServerMachine({ name, time, basis }: MachineOptions): ServerMachine {
	let process: VirtualProcess | undefined;
	let running: { readonly app: FastifyInstance; readonly parts: ServerParts } | undefined;
	const waiting = new Set<() => void>();

	/** Does work in the server's process; rejects where there is none, or where it dies over it. */
	function inProcess<T>(work: (app: FastifyInstance) => Promise<T>): Promise<T> {
		const { app } = running ?? {};
		const own = process;
		if (app === undefined || own === undefined) return Promise.reject(new Error('connection refused'));
		return new Promise((resolve, reject) => {
			const fail = () => reject(new Error('connection reset'));
			waiting.add(fail);
			own
				.run(() => work(app))
				.then(
					(value) => {
						waiting.delete(fail);
						if (own.isAlive) resolve(value);
					},
					(error: unknown) => {
						waiting.delete(fail);
						reject(error);
					},
				);
		});
	}

	return {
		name,
		get isUp() {
			return running !== undefined;
		},
		parts: () => running?.parts,
		handle: (call) => inProcess((app) => handle(app, call)),
		open: (call) => inProcess((app) => openStream(app, call)),
		start: async () => {
			const own = time.process(name);
			process = own;
			const parts = own.run(() => assembleServer(basis));
			const app = await own.run(() => createDeviceApp(parts));
			if (own.isAlive) running = { app, parts };
		},
		crash: () => {
			process?.kill();
			running = undefined;
			process = undefined;
			for (const fail of waiting) fail();
			waiting.clear();
		},
	};
}

function injected({ method, path, headers, body }: HttpCall) {
	return {
		method,
		url: path,
		headers: { ...headers },
		...(body !== undefined && {
			payload: JSON.stringify(body),
			headers: { ...headers, 'content-type': 'application/json' },
		}),
	};
}

async function handle(app: FastifyInstance, call: HttpCall): Promise<HttpReply> {
	const { statusCode, headers, rawPayload } = await app.inject(injected(call));
	return { status: statusCode, contentType: contentTypeOf(headers), text: await textOf(rawPayload, headers) };
}

/** What a device's HTTP client does with compressed answers. */
async function textOf(payload: Buffer, headers: Readonly<Record<string, unknown>>): Promise<string> {
	if (headers['content-encoding'] !== 'gzip') return payload.toString();
	const { gunzipSync } = await import('node:zlib');
	return gunzipSync(payload).toString();
}

async function openStream(app: FastifyInstance, call: HttpCall): Promise<HostStream> {
	const answer = await app.inject({ ...injected(call), payloadAsStream: true });
	return {
		status: answer.statusCode,
		contentType: contentTypeOf(answer.headers),
		source: answer.stream(),
		close: () => answer.raw.res.destroy(),
	};
}

function contentTypeOf(headers: Readonly<Record<string, unknown>>): string {
	const type = headers['content-type'];
	return typeof type === 'string' ? type : '';
}
