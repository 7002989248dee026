/**
 * Makes `crypto.subtle` verify Ed25519. Most browsers do; older ones get it from a package that is loaded only there. The
 * device's own key is P-256, which every browser keeps without showing it.
 */
export async function ensureEd25519(subtle: SubtleCrypto): Promise<'native' | 'polyfill'> {
	if (await verifiesEd25519(subtle)) return 'native';
	const { polyfillEd25519 } = await import('@yoursunny/webcrypto-ed25519');
	polyfillEd25519();
	return 'polyfill';
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
