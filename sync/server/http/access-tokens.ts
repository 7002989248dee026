import { createHmac, timingSafeEqual } from 'node:crypto';

/** How long an access token is valid. A disabled device is turned away at once; this bounds a stolen token. */
export const accessTokenMs = 600_000;

/** Tokens that are remembered as verified; the oldest is forgotten first. */
const verifiedMax = 20_000;

/** Who an access token speaks for. */
export interface Access {
	readonly venue: string;
	readonly device: string;
	readonly expiresMs: number;
}

/** Access tokens of one server: JWTs (RFC 7519) with HS256, because nobody but this server reads them. */
export interface AccessTokens {
	issue(device: { readonly venue: string; readonly device: string }, nowMs: number): string;
	/** Who it speaks for; undefined for one that is damaged, expired, of another server or of another venue. */
	verify(token: string, nowMs: number): Access | undefined;
}

const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'at+jwt' })).toString('base64url');

/** Makes the tokens of a server that serves one venue. */
export function createAccessTokens({
	secret,
	server,
	venue,
}: {
	readonly secret: Uint8Array;
	readonly server: string;
	readonly venue: string;
}): AccessTokens {
	const verified = new Map<string, Access>();
	// Compared as text: base64url has several texts for the same bytes, and only one of them is the token.
	const macOf = (text: string) => Buffer.from(createHmac('sha256', secret).update(text).digest('base64url'));
	const open = (token: string): Access | undefined => {
		const [head, payload, mac, ...rest] = token.split('.');
		if (head !== header || payload === undefined || mac === undefined || rest.length > 0) return undefined;
		const expected = macOf(`${head}.${payload}`);
		const found = Buffer.from(mac);
		if (found.length !== expected.length || !timingSafeEqual(found, expected)) return undefined;
		// This server wrote it, so it has these members.
		const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, string | number>;
		if (claims.aud !== server || claims.venue !== venue) return undefined;
		return { venue, device: String(claims.sub), expiresMs: Number(claims.exp) * 1000 };
	};
	return {
		issue: ({ device }, nowMs) => {
			const iat = Math.floor(nowMs / 1000);
			const claims = { aud: server, venue, sub: device, iat, exp: iat + accessTokenMs / 1000 };
			const text = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
			return `${text}.${macOf(text)}`;
		},
		verify: (token, nowMs) => {
			const access = verified.get(token) ?? open(token);
			if (access === undefined) return undefined;
			if (access.expiresMs <= nowMs) {
				verified.delete(token);
				return undefined;
			}
			if (!verified.has(token)) verified.set(token, access);
			const [oldest] = verified.keys();
			if (verified.size > verifiedMax && oldest !== undefined) verified.delete(oldest);
			return access;
		},
	};
}
