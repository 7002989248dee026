/**
 * Makes `crypto.subtle` verify Ed25519. Most browsers do; older ones get it from a package that is loaded only there. The
 * device's own key is P-256, which every browser keeps without showing it. Rejects where the page has no Web Crypto.
 */
export async function ensureEd25519(): Promise<'native' | 'ponyfill'> {
	if (await verifiesEd25519(crypto.subtle)) return 'native';
	const { ponyfillEd25519 } = await import('@yoursunny/webcrypto-ed25519');
	Object.defineProperty(crypto, 'subtle', { value: taggingKeys(ponyfillEd25519()), configurable: true });
	return 'ponyfill';
}

/** The public key of RFC 8032 §7.1, test 1. */
const knownKey = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };

async function verifiesEd25519(subtle: SubtleCrypto): Promise<boolean> {
	try {
		await subtle.importKey('jwk', knownKey, { name: 'Ed25519' }, false, ['verify']);
		return true;
	} catch {
		return false;
	}
}

/**
 * The ponyfill's keys are plain objects, which jose takes for JWKs without a `kty` and refuses: it knows a key by its tag.
 * Keys of the browser have theirs already.
 */
function taggingKeys(ponyfill: SubtleCrypto): SubtleCrypto {
	// One signature for the overloads of `importKey`: what was given is handed on as it is.
	const importKey = ponyfill.importKey.bind(ponyfill) as (...given: readonly unknown[]) => Promise<CryptoKey>;
	const importTagged = async (...given: readonly unknown[]): Promise<CryptoKey> => {
		const key = await importKey(...given);
		return key instanceof CryptoKey ? key : Object.assign(key, { [Symbol.toStringTag]: 'CryptoKey' });
	};
	return Object.assign(ponyfill, { importKey: importTagged });
}
