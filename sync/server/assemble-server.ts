import { createFeedHub } from './feed/feed-hub.ts';
import { createSnapshotCache } from './feed/snapshot-cache.ts';
import { createAccessTokens } from './http/access-tokens.ts';
import type { HandheldFiles } from './http/handheld-files.ts';
import { createNonces } from './http/nonces.ts';
import { createOrigins, type Origins } from './http/origins.ts';
import { createMetrics } from './metrics.ts';
import { createOperators } from './office/operators.ts';
import { createStaff } from './office/staff.ts';
import { createSegmentsQueue } from './queues/segments-queue.ts';
import type { DeviceParts, ServerParts } from './server-parts.ts';

type BasisName = 'venue' | 'server' | 'fingerprint' | 'store' | 'keys' | 'log' | 'nowMs';

/** What a server needs for browsers. */
export interface WebBasis {
	readonly handheld?: HandheldFiles;
	/** Absent: no page of another origin may call. */
	readonly origins?: Origins;
}

/** What a server is given: what outlives its process, and what it takes from its surroundings. */
export type ServerBasis = Pick<ServerParts, BasisName | 'office' | 'issuer' | 'certifyHub' | 'releases'> & WebBasis;

/** What a server is given that only answers devices. */
export type DeviceBasis = Pick<DeviceParts, BasisName | 'releases'> & WebBasis;

/** Joins the parts of a server that begin anew with each of its processes. The simulator's servers are made here, too. */
export function assembleServer(basis: ServerBasis): ServerParts {
	const { office, issuer, nowMs } = basis;
	const people = { operators: createOperators({ office, nowMs }), staff: createStaff({ office, nowMs }) };
	return { ...basis, ...assembleDeviceParts(basis, async () => issuer.manifest), ...people };
}

/** Joins the parts that answer devices: all that a hub has. */
export function assembleDeviceParts(basis: DeviceBasis, manifest: () => Promise<string | undefined>): DeviceParts {
	const { venue, server, store, keys, nowMs } = basis;
	const feed = createFeedHub(store);
	const segments = createSegmentsQueue(store, feed.wake);
	return {
		...basis,
		origins: basis.origins ?? createOrigins([]),
		feed,
		segments,
		tokens: createAccessTokens({ secret: keys.tokenSecret, server, venue }),
		nonces: createNonces(),
		snapshots: createSnapshotCache({ store, venue, manifest, nowMs }),
		metrics: createMetrics({ listeners: feed.listeners, rowsWaiting: segments.waiting }),
	};
}
