import type { Ledger } from '../../../gate-agent/core/ledger.ts';
import type { Zlib } from '../../../gate-agent/core/status-list.ts';
import type { ClientClock } from '../../../sync/client/client-clock.ts';
import type { Transport } from '../../../sync/client/transport.ts';
import type { KeyStore } from './key-store.ts';

/** Everything that a handheld needs from where it runs, so that a browser, a test and a simulator can all run it. */
export interface HandheldDeps {
	/** Address of the server, `https://host:port`. */
	readonly origin: string;
	/** `handheld/0.1.0`, as the server and the journal read it. */
	readonly version: string;
	readonly transport: Transport;
	readonly clock: ClientClock;
	/** The system's clock, milliseconds since 1970. */
	readonly systemMs: () => number;
	/** Uniform in [0, 1). */
	readonly random: () => number;
	readonly zlib: Zlib;
	readonly crypto: Crypto;
	/** Opens what is kept beside the ledger. Rejects where there is no storage. */
	readonly openKeys: () => Promise<KeyStore>;
	readonly openLedger: (how: OpenLedger) => Promise<LedgerAnswer>;
	/** Makes Ed25519 work; rejects where the browser has no crypto, e.g. on a page that is not secure. */
	readonly prepareCrypto: () => Promise<unknown>;
	/** Asks the browser to keep the data; whether it promised. */
	readonly persist: () => Promise<boolean>;
	/** Calls back when the network may be there again; gives what ends it. */
	readonly onWake: (wake: () => void) => () => void;
	/** One line for a technician; no token, key or name of a visitor is in it. */
	readonly log: (event: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** The same once the store of keys is open. */
export interface KeptDeps extends HandheldDeps {
	readonly keys: KeyStore;
}

/** Which ledger, and whether another tab must give it up. */
export interface OpenLedger {
	readonly device: string;
	readonly takeOver: boolean;
	readonly nowMs: () => number;
	/** The journal has new rows. */
	readonly onRows: () => void;
}

/** The ledger, or that another tab has it. `lost` resolves when another tab takes it away. */
export type LedgerAnswer =
	| { readonly kind: 'open'; readonly ledger: Ledger; readonly lost: Promise<void> }
	| { readonly kind: 'other_tab' };
