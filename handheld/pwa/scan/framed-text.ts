import { scanBytesMax } from '../../../gate-agent/core/scan.ts';

/** What bytes of a serial line make: a code, or the news that one was too long or not text. */
export type Framed = { readonly kind: 'code'; readonly text: string } | { readonly kind: 'unreadable' };

/** Puts the pieces of a serial line together to codes. */
export interface Framer {
	/** Codes that end in this piece, by CR, LF or both. */
	push(bytes: Uint8Array): readonly Framed[];
	/** What silence ends: a code of a scanner that sends no suffix. */
	pause(): readonly Framed[];
}

/** Frames UTF-8 text. A code over `scanBytesMax` is dropped up to its end and told once. */
export function createFramer(): Framer {
	let bytes: number[] = [];
	let length = 0;
	const end = (): readonly Framed[] => {
		const framed = length === 0 ? [] : [frameOf(bytes, length)];
		bytes = [];
		length = 0;
		return framed;
	};
	return {
		push(piece) {
			const framed: Framed[] = [];
			for (const byte of piece) {
				if (byte === 0x0d || byte === 0x0a) framed.push(...end());
				else {
					length += 1;
					if (length <= scanBytesMax) bytes.push(byte);
				}
			}
			return framed;
		},
		pause: end,
	};
}

function frameOf(bytes: readonly number[], length: number): Framed {
	if (length > scanBytesMax) return { kind: 'unreadable' };
	try {
		const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
		return { kind: 'code', text };
	} catch {
		return { kind: 'unreadable' };
	}
}
