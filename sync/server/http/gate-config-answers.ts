import { type ConfigOffer, type ConfigQuery, type ConfigResponse, heardText } from '../../protocol/gate-config.ts';
import type { GateConfig } from '../gate-configs.ts';
import type { ServerParts } from '../server-parts.ts';
import type { Device } from '../store.ts';

/**
 * What a gate is told of its configuration. It belongs to the name: a box that takes the place of another gets what that
 * one had proven.
 */
export async function configFor(
	{ store, venue }: Pick<ServerParts, 'store' | 'venue'>,
	{ name: gate }: Pick<Device, 'name'>,
	{ heard }: ConfigQuery,
): Promise<ConfigResponse> {
	const newest = await store.gateConfig(venue, gate);
	if (newest === undefined) return { gate };
	if (heard === heardText(newest)) return { gate };
	if (heard !== undefined) return { gate, newest: offerOf(newest) };
	const version = provenVersion(await store.devices(venue), gate);
	const proven = version === undefined ? undefined : await store.gateConfig(venue, gate, version);
	return { gate, newest: offerOf(newest), ...(proven && { proven: offerOf(proven) }) };
}

/** The newest version that a device of this name has confirmed by its last word, also one that is out of work now. */
export function provenVersion(devices: readonly Device[], gate: string): number | undefined {
	const versions = devices.flatMap(({ name, report }) =>
		name === gate && report?.config?.state === 'confirmed' ? (report.config.version ?? []) : [],
	);
	return versions.length === 0 ? undefined : Math.max(...versions);
}

function offerOf({ version, sha256, text }: GateConfig): ConfigOffer {
	return { version, sha256, text };
}
