import { classifyForeign } from '../../../gate-agent/core/foreign-code.ts';
import type { ForeignTrace } from '../../../gate-agent/core/redemption.ts';
import type { KeyStore } from './key-store.ts';

/** Makes the trace of a foreign code: its kind, its length and a keyed hash that tells repeats apart. */
export type Tracer = (text: string) => Promise<ForeignTrace>;

const hexBytes = 8;

/** Opens the tracer of a device. Its key cannot be read, so that nobody can look for a payment code in a journal. */
export async function openTracer(keys: KeyStore, subtle: SubtleCrypto): Promise<Tracer> {
	// Written below alone.
	let key = (await keys.get('foreign_key')) as CryptoKey | undefined;
	if (key === undefined) {
		key = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
		await keys.put('foreign_key', key);
	}
	const macKey = key;
	return async (text) => {
		const mac = new Uint8Array(await subtle.sign('HMAC', macKey, new TextEncoder().encode(text))).slice(0, hexBytes);
		const hmac = [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join('');
		return { kind: classifyForeign(text), length: text.length, hmac };
	};
}
