import { hash } from 'node:crypto';

/** `rowHash` of the core by this runtime, which is three times as fast: a server hashes the rows of all its devices. */
export function rowHash(previous: Uint8Array, text: string): Uint8Array {
	const row = Buffer.allocUnsafe(previous.length + Buffer.byteLength(text));
	row.set(previous);
	row.write(text, previous.length);
	return hash('sha256', row, 'buffer');
}
