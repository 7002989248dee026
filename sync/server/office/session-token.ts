import { createHash, randomBytes } from 'node:crypto';

/** The token of a new session: 256 random bits, base64url. */
export function newSessionToken(): string {
	return randomBytes(32).toString('base64url');
}

/** A token has 256 random bits, so a fast hash keeps it; whoever reads the database cannot sign in with it. */
export function hashToken(token: string): string {
	return createHash('sha256').update(token).digest('base64url');
}
