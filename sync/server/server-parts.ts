import type { Logger } from 'pino';
import type { FeedHub } from './feed/feed-hub.ts';
import type { SnapshotCache } from './feed/snapshot-cache.ts';
import type { AccessTokens } from './http/access-tokens.ts';
import type { HandheldFiles } from './http/handheld-files.ts';
import type { Nonces } from './http/nonces.ts';
import type { Origins } from './http/origins.ts';
import type { Issuer } from './issuing.ts';
import type { ServerMetrics } from './metrics.ts';
import type { Office } from './office/office.ts';
import type { Operators } from './office/operators.ts';
import type { Staff } from './office/staff.ts';
import type { SegmentsQueue } from './queues/segments-queue.ts';
import type { Releases } from './releases/release-folder.ts';
import type { ServerKeys } from './server-keys.ts';
import type { Store } from './store.ts';

/** What answers devices: the same at a centre and at a hub, which has no operators and no issuer keys. */
export type DeviceParts = Omit<ServerParts, 'office' | 'operators' | 'staff' | 'issuer' | 'certifyHub'>;

/** What the routes of a server work with. One server answers for one venue. */
export interface ServerParts {
	readonly venue: string;
	/** This server's id: who assertions are made for, and who may grant. */
	readonly server: string;
	/** What devices pin, as it is now. */
	readonly fingerprint: string;
	readonly store: Store;
	readonly office: Office;
	readonly operators: Operators;
	readonly staff: Staff;
	readonly issuer: Issuer;
	readonly keys: ServerKeys;
	readonly tokens: AccessTokens;
	readonly nonces: Nonces;
	readonly segments: SegmentsQueue;
	readonly feed: FeedHub;
	readonly snapshots: SnapshotCache;
	readonly metrics: ServerMetrics;
	/**
	 * Signs the certificate of a hub from its request; absent where the centre shows a certificate of its own. Rejects with
	 * a `Refusal` for a request that is none.
	 */
	readonly certifyHub?: (certificateRequest: string) => Promise<string>;
	/** The built handheld; absent where nobody has built it. */
	readonly handheld?: HandheldFiles;
	/** Versions of the program that gates may fetch here. */
	readonly releases?: Releases;
	/** Whose pages may call this server. */
	readonly origins: Origins;
	readonly log: Logger;
	readonly nowMs: () => number;
}
