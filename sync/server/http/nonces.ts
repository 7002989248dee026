import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** How long a nonce may lie before it is used. */
export const nonceMs = 120_000;

/** Uses that are remembered; above it no assertion is taken until old ones have run out. */
export const usesMax = 100_000;

/** The nonces of one process: another one's, or those from before a restart, are unknown and a new one is fetched. */
export interface Nonces {
	make(nowMs: number): string;
	/** Uses a nonce and a `jti` up, both at once. */
	useUp(
		use: { readonly nonce: string; readonly jti: string; readonly untilMs: number },
		nowMs: number,
	): 'fresh' | 'unknown' | 'replayed';
}

/** Makes nonces that carry their own time under a MAC, so that strangers who ask for many take no memory. */
export function createNonces(): Nonces {
	const secret = randomBytes(32);
	const used = new Map<string, number>();
	const macOf = (body: Buffer) => createHmac('sha256', secret).update(body).digest().subarray(0, 16);
	const madeMs = (nonce: string): number | undefined => {
		const bytes = Buffer.from(nonce, 'base64url');
		if (bytes.length !== 38 || bytes.toString('base64url') !== nonce) return undefined;
		const body = bytes.subarray(0, 22);
		return timingSafeEqual(macOf(body), bytes.subarray(22)) ? body.readUIntBE(0, 6) : undefined;
	};
	return {
		make: (nowMs) => {
			const body = Buffer.concat([Buffer.alloc(6), randomBytes(16)]);
			body.writeUIntBE(nowMs, 0, 6);
			return Buffer.concat([body, macOf(body)]).toString('base64url');
		},
		useUp: ({ nonce, jti, untilMs }, nowMs) => {
			const made = madeMs(nonce);
			if (made === undefined || nowMs - made > nonceMs) return 'unknown';
			for (const [key, until] of used) {
				// Uses lie in the order in which they were made, and all live about as long.
				if (until > nowMs) break;
				used.delete(key);
			}
			if (used.has(`n ${nonce}`) || used.has(`j ${jti}`)) return 'replayed';
			if (used.size >= usesMax) return 'unknown';
			const until = Math.max(untilMs, nowMs + nonceMs);
			used.set(`n ${nonce}`, until).set(`j ${jti}`, until);
			return 'fresh';
		},
	};
}
