import { base64url } from 'jose';
import type { JournalRow } from '../../../gate-agent/core/redemption.ts';
import type { Segment } from '../../../sync/protocol/segments.ts';

/** The rows of kept segments, read without the server's help. */
export function* openSegmentRows(
	kept: readonly { readonly device: string; readonly jws: string }[],
): Generator<{ readonly device: string; readonly row: JournalRow }> {
	for (const { device, jws } of kept) {
		// The server has checked its signature and its form before it kept it.
		const segment = JSON.parse(new TextDecoder().decode(base64url.decode(jws.split('.')[1] ?? ''))) as Segment;
		for (const text of segment.rows) yield { device, row: JSON.parse(text) as JournalRow };
	}
}
