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
	/** Serves the built handheld in a folder from now on. Rejects with `server_data_invalid` where there is none. */
	showHandheld(folder: string): Promise<void>;
	close(): Promise<void>;
}

/** What the server's thread is given. */
export interface ThreadOptions {
	readonly dir: string;
	/** Where it logs; absent means nowhere. */
	readonly logFile?: string;
}

/** What the thread is told. */
export type ThreadOrder = { readonly kind: 'show_handheld'; readonly folder: string } | { readonly kind: 'close' };

/** How a handheld was taken. */
export type HandheldShown = { readonly kind: 'shown' } | Extract<ServerStarted, { readonly kind: 'failed' }>;

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
	const tell = (order: ThreadOrder) => thread.postMessage(order);
	const [started] = (await once(thread, 'message')) as [ServerStarted];
	if (started.kind === 'failed') {
		await ended;
		throw new StilewardError(started.code, started.message);
	}
	return {
		...started.server,
		showHandheld: async (folder) => {
			const answer = once(thread, 'message');
			tell({ kind: 'show_handheld', folder });
			// A thread that has ended shows nothing any more.
			const [shown] = (await Promise.race([answer, ended.then(() => [{ kind: 'shown' }])])) as [HandheldShown];
			if (shown.kind === 'failed') throw new StilewardError(shown.code, shown.message);
		},
		close: async () => {
			tell({ kind: 'close' });
			await ended;
		},
	};
}
