import type { Scan } from '../core/scan.ts';
import type { Frame } from './framing.ts';

/** `strip`: an AIM identifier leaves the text and is given as `aim`. `keep`: the text stays as it was scanned. */
export type AimHandling = 'strip' | 'keep';

/** An AIM symbology identifier, ISO/IEC 15424: `]`, the symbology's letter and a modifier, e.g. `]Q1` for a QR code. */
const aimIdentifier = /^\][A-Za-z][0-9A-Za-z]/;

/** Turns a frame into what the lane gets; undefined when nothing is left after the AIM identifier. */
export function scanOf(frame: Frame, aim: AimHandling, atMs: number): Scan | undefined {
	if (frame.kind !== 'frame') return { kind: 'unreadable', bytes: frame.length, atMs };
	const text = decode(frame.bytes);
	const id = aim === 'strip' ? aimIdentifier.exec(text)?.[0] : undefined;
	if (id === undefined) return { kind: 'code', text, atMs };
	return text.length === id.length ? undefined : { kind: 'code', text: text.slice(id.length), aim: id, atMs };
}

/** UTF-8 where it is, else each byte as the Latin-1 character of its number, so that no byte is ever lost. */
function decode(bytes: Uint8Array): string {
	try {
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch {
		return Buffer.from(bytes).toString('latin1');
	}
}
