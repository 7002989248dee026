import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openServerTls } from '../../sync/server/tls/venue-tls.ts';
import { cpuSecondsOf } from './process-cpu.ts';

/** A server in a process of its own that does nothing but answer over TLS: the floor of everything that asks one. */
export interface EmptyServer {
	readonly port: number;
	/** The one path that it answers, by POST. */
	readonly path: string;
	/** What a client pins. */
	readonly fingerprint: string;
	cpuSeconds(): number;
	close(): Promise<void>;
}

/** Starts it with a new authority and certificate under `dir`. */
export async function startEmptyServer(dir: string): Promise<EmptyServer> {
	const child = fork(fileURLToPath(new URL('./empty-server.ts', import.meta.url)));
	const { key, cert, fingerprint } = await openServerTls({ dir, hosts: ['127.0.0.1'], nowMs: Date.now() });
	child.send({ key, cert });
	const [port] = (await once(child, 'message')) as [number];
	return {
		port,
		path: '/empty',
		fingerprint,
		cpuSeconds: () => cpuSecondsOf(child.pid),
		close: async () => {
			child.disconnect();
			await once(child, 'exit');
		},
	};
}
