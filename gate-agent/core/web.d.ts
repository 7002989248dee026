/**
 * The few globals that every runtime of the core has (Node, browsers, workers). The core compiles without the
 * types of Node and of the DOM, so that nothing else of them can slip in.
 */
declare class TextEncoder {
	encode(text?: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
	constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
	decode(bytes?: Uint8Array): string;
}
interface CryptoKey {
	readonly type: 'public' | 'private' | 'secret';
}
