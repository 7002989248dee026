import type { KeyStore } from './key-store.ts';

/** What tells the PIN of one name without being it: nothing of it can be tried away from this device. */
export interface PinVerifier {
	readonly salt: Uint8Array<ArrayBuffer>;
	readonly rounds: number;
	readonly mac: Uint8Array<ArrayBuffer>;
}

/** Makes and checks verifiers. */
export interface PinVerifiers {
	make(pin: string): Promise<PinVerifier>;
	check(pin: string, verifier: PinVerifier): Promise<boolean>;
}

/** Rounds of PBKDF2 (RFC 8018): a quarter of a second on a phone, each time somebody signs in. */
const rounds = 210_000;

/**
 * Opens the verifiers of a device: HMAC-SHA-256 under a key that cannot be read, over PBKDF2 of the PIN. A PIN has few
 * digits, so that a hash alone would be tried out in a second; the key never leaves the browser.
 */
export async function openPinVerifiers(keys: KeyStore, crypto: Crypto): Promise<PinVerifiers> {
	const { subtle } = crypto;
	const macKey = (await keptKey(keys)) ?? (await newKey(keys, subtle));
	const stretched = async (pin: string, { salt, rounds: iterations }: Omit<PinVerifier, 'mac'>) => {
		const base = await subtle.importKey('raw', new TextEncoder().encode(pin), 'PBKDF2', false, ['deriveBits']);
		return subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, base, 256);
	};
	return {
		make: async (pin) => {
			const made = { salt: crypto.getRandomValues(new Uint8Array(16)), rounds };
			return { ...made, mac: new Uint8Array(await subtle.sign('HMAC', macKey, await stretched(pin, made))) };
		},
		check: async (pin, verifier) => subtle.verify('HMAC', macKey, verifier.mac, await stretched(pin, verifier)),
	};
}

async function keptKey(keys: KeyStore): Promise<CryptoKey | undefined> {
	// Written by `newKey` alone.
	return (await keys.get('pin_key')) as CryptoKey | undefined;
}

async function newKey(keys: KeyStore, subtle: SubtleCrypto): Promise<CryptoKey> {
	const key = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
	await keys.put('pin_key', key);
	return key;
}
