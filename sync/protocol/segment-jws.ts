import { base64url, type JWK } from 'jose';
import { Check } from 'typebox/value';
import { assert, StilewardError } from '../../gate-agent/core/errors.ts';
import { genesisHash, rowHash } from '../../gate-agent/core/journal.ts';
import { decodeBase64url } from '../../gate-agent/core/strict-jws.ts';
import type { ProblemCode } from './problem.ts';
import { type Segment, segmentBytesMax, segmentSchema } from './segments.ts';
import { readSigned, type SigningKey, signText } from './signed-text.ts';

const segmentType = 'stileward-segment';

/** A chain hash as it travels: base64url. */
export function hashText(hash: Uint8Array): string {
	return base64url.encode(hash);
}

/** `prevHash` of a segment that begins with row 1: 32 zero bytes. */
export const genesisPrevHash = hashText(genesisHash);

/** Signs a segment with the device key. Throws `keys_invalid`; a segment out of form or size is a bug. */
export async function signSegment(segment: Segment, privateKey: SigningKey): Promise<string> {
	assert(segmentProblem(segment) === undefined, `a segment must be whole: ${segmentProblem(segment)}`);
	const jws = await signText(segment, { typ: segmentType, kid: segment.device }, privateKey);
	assert(jws.length <= segmentBytesMax, `a signed segment has at most ${segmentBytesMax} bytes`);
	return jws;
}

/** A segment as a server takes it, or why it does not. */
export type OpenedSegment =
	| {
			readonly kind: 'opened';
			readonly segment: Segment;
			/** Chain hash of row `to`, base64url: what the next segment must join. */
			readonly lastHash: string;
	  }
	| { readonly kind: 'refused'; readonly code: ProblemCode; readonly detail: string };

/**
 * Opens a segment of one device. Beyond the signature it checks what makes the rows evidence: their number is `from` to
 * `to`, each carries its own number and epoch, and row 1 joins nothing. Whether `prevHash` joins the rows that are
 * there already only a store can tell. Never throws for what a stranger sends.
 */
export async function openSegment(
	jws: string,
	expected: {
		readonly device: string;
		readonly key: JWK;
		/** `rowHash` of the core where it is absent; a server may give the same from its runtime, which is faster. */
		readonly hash?: typeof rowHash;
	},
): Promise<OpenedSegment> {
	if (jws.length > segmentBytesMax) return refused('too_large', `at most ${segmentBytesMax} bytes`);
	const unchecked = readSigned(jws, segmentType);
	if (!unchecked) return refused('segment_invalid', 'it is not a signed segment');
	const segment = unchecked.kid === expected.device ? await unchecked.open(expected.key) : undefined;
	if (!segment) return refused('segment_invalid', 'it is not signed by the key of this device');
	if (!Check(segmentSchema, segment)) return refused('segment_invalid', 'its members are not those of a segment');
	if (segment.device !== expected.device) return refused('segment_invalid', 'it names another device');
	const problem = segmentProblem(segment);
	if (problem !== undefined) return refused('segment_invalid', problem);
	return { kind: 'opened', segment, lastHash: lastHashOf(segment, expected.hash) };
}

/** The chain hash of a segment's last row, base64url. */
export function lastHashOf({ prevHash, rows }: Segment, hash: typeof rowHash = rowHash): string {
	const previous = decodeBase64url(prevHash);
	if (previous === undefined) throw new StilewardError('ledger_corrupt', 'the hash before a segment is no base64url');
	return hashText(rows.reduce((before, row) => hash(before, row), previous));
}

function segmentProblem({ epoch, from, to, prevHash, rows }: Segment): string | undefined {
	if (decodeBase64url(prevHash)?.length !== 32) return 'prevHash is not the canonical base64url of 32 bytes';
	if (to - from + 1 !== rows.length) return `${rows.length} rows cannot be ${from} to ${to}`;
	if (from === 1 && prevHash !== genesisPrevHash) return 'row 1 follows 32 zero bytes';
	const stray = rows.findIndex((row, i) => !row.startsWith(`{"seq":${from + i},"epoch":"${epoch}","at":`));
	return stray < 0 ? undefined : `row ${from + stray} does not carry its own number and epoch`;
}

function refused(code: ProblemCode, detail: string): OpenedSegment {
	return { kind: 'refused', code, detail };
}
