import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, StilewardError } from '../../gate-agent/core/errors.ts';

/** Who signs in: the page, and whoever tries the command line. */
export const administrator = 'practice';

/** How the server is reached, and how its administrator signs in. */
export interface ServerAccess {
	readonly url: string;
	/** What clients pin. */
	readonly fingerprint: string;
	readonly password: string;
	/** The file that keeps the password, readable by this user alone. */
	readonly passwordFile: string;
	/** The password was made at this start. */
	readonly isNew: boolean;
}

/** The server of the practice. */
export interface TicketServer extends ServerAccess {
	close(): Promise<void>;
}

/** What the server's thread is given. */
export interface ThreadOptions {
	readonly dir: string;
	/** Where it logs; absent means nowhere. */
	readonly logFile?: string;
}

/** How the start of the thread ended. */
export type ServerStarted =
	| { readonly kind: 'started'; readonly server: ServerAccess }
	| { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/**
 * Starts the ticket server in a thread of its own: its disk must not hold up turnstiles, as it does not where it
 * stands in an office. The thread ends with the process, however that ends. Rejects like `startServer`.
 */
export async function startTicketServer(options: ThreadOptions): Promise<TicketServer> {
	const thread = new Worker(new URL('./practice-server-thread.ts', import.meta.url), { workerData: options });
	const ended = once(thread, 'exit');
	const [started] = (await once(thread, 'message')) as [ServerStarted];
	if (started.kind === 'failed') {
		await ended;
		throw new StilewardError(started.code, started.message);
	}
	return {
		...started.server,
		close: async () => {
			thread.postMessage('close');
			await ended;
		},
	};
}
