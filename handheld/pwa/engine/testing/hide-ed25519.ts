/**
 * Makes a browser refuse Ed25519, as one does that does not know it. Run it before any other program of the page; it uses nothing
 * from outside, so that a test can hand it to a page as text.
 */
export function hideEd25519(): void {
	const prototype = SubtleCrypto.prototype;
	for (const method of ['importKey', 'generateKey', 'sign', 'verify'] as const) {
		// One signature for all of them: what was given is handed on as it is.
		const known = prototype[method] as (...given: readonly unknown[]) => unknown;
		const refusing = function (this: SubtleCrypto, ...given: readonly unknown[]): unknown {
			const names = given.map((each) => (typeof each === 'object' && each !== null ? Reflect.get(each, 'name') : each));
			if (names.includes('Ed25519')) return Promise.reject(new DOMException('unknown algorithm', 'NotSupportedError'));
			return known.apply(this, [...given]);
		};
		Reflect.set(prototype, method, refusing);
	}
}
