import type { DeviceParts } from '../server-parts.ts';
import type { Upstream } from './upstream.ts';

/** Adds the figures of a hub: whether its centre is there, what waits for it, and whether the hub grants. */
export function addHubMetrics({ metrics, store, venue }: DeviceParts, upstream: Upstream): void {
	metrics.gauge('stileward_hub_centre_reached', '1 while the centre answers.', () => (upstream.online() ? 1 : 0));
	metrics.gauge('stileward_hub_grants', '1 while this hub is the authority.', async () => {
		const head = await store.head(venue);
		return head?.grants && head.behind === undefined ? 1 : 0;
	});
	metrics.gauge('stileward_hub_segments_waiting', 'Segments that the centre does not have.', async () => {
		return (await store.backlog(venue)).segments;
	});
	metrics.gauge('stileward_hub_entries_waiting', 'Admissions log entries that the centre does not have.', async () => {
		return (await store.backlog(venue)).entries;
	});
}
