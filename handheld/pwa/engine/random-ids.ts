import type { RedemptionId } from '../../../gate-agent/core/redemption.ts';

/** 128 random bits, base64url. */
export function newNonce(crypto: Crypto): string {
	return base64url(crypto.getRandomValues(new Uint8Array(16)));
}

/** A new redemption id. */
export function newRedemptionId(crypto: Crypto): RedemptionId {
	// The brand is given to what has 128 random bits.
	return newNonce(crypto) as RedemptionId;
}

function base64url(bytes: Uint8Array): string {
	const text = btoa(String.fromCharCode(...bytes));
	return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
