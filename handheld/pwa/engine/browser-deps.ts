import type { ClientClock } from '../../../sync/client/client-clock.ts';
import { openBrowserLedger } from './browser-ledger.ts';
import { ensureEd25519 } from './ed25519.ts';
import { createFetchTransport } from './fetch-transport.ts';
import type { HandheldDeps } from './handheld-deps.ts';
import { openKeyStore } from './idb-key-store.ts';
import { streamZlib } from './stream-zlib.ts';

/** What only the page knows. */
export interface PageDeps {
	/** Version of the package. */
	readonly packageVersion: string;
	readonly log: HandheldDeps['log'];
}

const keyStoreName = 'stileward-handheld';

/** Everything else that a handheld needs, from the browser that it runs in. */
export function browserDeps({ packageVersion, log }: PageDeps): HandheldDeps {
	const { origin } = location;
	return {
		origin,
		log,
		version: `handheld/${packageVersion}`,
		// Bound, because a browser's `fetch` works for its window only.
		transport: createFetchTransport({ origin, fetch: (...call) => fetch(...call), networkLoss: watchNetworkLoss() }),
		clock: pageClock,
		systemMs: Date.now,
		random: Math.random,
		zlib: streamZlib,
		crypto,
		openKeys: () => openKeyStore(keyStoreName),
		openLedger: (how) => openBrowserLedger(how, log),
		prepareCrypto: () => ensureEd25519(crypto.subtle),
		persist: async () => (await navigator.storage.persisted()) || navigator.storage.persist(),
		onWake,
	};
}

/** The monotonic clock of a page. */
const pageClock: ClientClock = {
	monoMs: () => performance.now(),
	sleep: (ms, signal) =>
		new Promise((resolve) => {
			if (signal?.aborted) return resolve();
			const wake = () => {
				clearTimeout(timer);
				signal?.removeEventListener('abort', wake);
				resolve();
			};
			const timer = setTimeout(wake, ms);
			signal?.addEventListener('abort', wake, { once: true });
		}),
};

/** A radio that is off tells the browser, but no connection: a stream would wait for its heartbeat, and the screen say "online". */
function watchNetworkLoss(): () => AbortSignal {
	let current = new AbortController();
	addEventListener('offline', () => {
		current.abort();
		current = new AbortController();
	});
	return () => current.signal;
}

/** The network came back, or somebody took the device out of a pocket. */
function onWake(wake: () => void): () => void {
	const seen = () => {
		if (document.visibilityState === 'visible') wake();
	};
	addEventListener('online', wake);
	document.addEventListener('visibilitychange', seen);
	return () => {
		removeEventListener('online', wake);
		document.removeEventListener('visibilitychange', seen);
	};
}
