import type { FastifyRequest } from 'fastify';
import type { DeviceParts } from '../server-parts.ts';
import type { Device } from '../store.ts';
import { createRateLimit } from './rate-limit.ts';
import { Refusal } from './refusal.ts';

/** What one device may ask: more than the busiest lane box does, less than a broken one could. */
const deviceRule = { burst: 400, perSecond: 200 } as const;

/** How long a device's row is trusted before it is read again; a change by this process counts at once. */
const deviceFreshMs = 2_000;

/** Devices that are remembered. */
const devicesMax = 20_000;

/** Finds the device that a request speaks for. */
export interface DeviceAuth {
	/** Throws a `Refusal`: `token_invalid`, `device_disabled` or `rate_limited`. */
	authenticate(request: FastifyRequest): Promise<Device>;
	/** Forgets what is known of a device, because it has changed. */
	forget(device: string): void;
}

/** Makes the check of access tokens. */
export function createDeviceAuth({ tokens, store, venue, nowMs }: DeviceParts): DeviceAuth {
	const limit = createRateLimit(deviceRule);
	const known = new Map<string, { readonly device: Device; readonly atMs: number }>();
	const deviceOf = async (id: string): Promise<Device | undefined> => {
		const kept = known.get(id);
		if (kept && nowMs() - kept.atMs < deviceFreshMs) return kept.device;
		const device = await store.device(venue, id);
		known.delete(id);
		if (device) known.set(id, { device, atMs: nowMs() });
		const [oldest] = known.keys();
		if (known.size > devicesMax && oldest !== undefined) known.delete(oldest);
		return device;
	};
	return {
		authenticate: async (request) => {
			const token = bearerOf(request);
			const access = token === undefined ? undefined : tokens.verify(token, nowMs());
			if (!access) throw new Refusal('token_invalid');
			const retryAfterMs = limit.take(access.device, nowMs());
			if (retryAfterMs > 0) throw new Refusal('rate_limited', { retryAfterMs });
			const device = await deviceOf(access.device);
			if (!device) throw new Refusal('token_invalid');
			if (device.status === 'disabled') throw new Refusal('device_disabled');
			return device;
		},
		forget: (device) => void known.delete(device),
	};
}

/** The token of an `Authorization: Bearer` header. */
export function bearerOf({ headers }: FastifyRequest): string | undefined {
	return /^Bearer ([A-Za-z0-9._~+/-]{16,2048}=*)$/i.exec(headers.authorization ?? '')?.[1];
}
