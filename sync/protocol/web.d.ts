/**
 * The few globals that every runtime of the protocol has (Node, browsers, workers). It compiles without the types of
 * Node and of the DOM, so that nothing else of them can slip in.
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
