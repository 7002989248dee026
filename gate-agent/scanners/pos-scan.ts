import { scanBytesMax } from '../core/scan.ts';
import type { Frame } from './framing.ts';
import type { PosLayout } from './pos-layout.ts';

/** What lies between two reports: the parts of a scan that goes on. */
export interface PosState {
	readonly kind: 'between' | 'scan' | 'oversize';
	/** AIM identifier and data so far. */
	readonly pending: Uint8Array;
}

/** Before the first report. */
export const posStart: PosState = { kind: 'between', pending: new Uint8Array(0) };

const CR = 0x0d;
const LF = 0x0a;
const flagCharacter = 0x5d;

/**
 * Takes one input report, its id first where the device has ids, and gives the scan that it completes: the AIM identifier
 * and the data as one frame. Reports of another id and reports that are too short say nothing.
 */
export function feedPos(layout: PosLayout, state: PosState, report: Uint8Array): [PosState, readonly Frame[]] {
	const bytes = bodyOf(layout, report);
	if (bytes === undefined) return [state, []];
	const { dataAt, dataBytes, countAt, continued } = layout;
	const data = bytes.subarray(dataAt, dataAt + dataBytes);
	const count = countAt === undefined ? withoutPadding(data) : Math.min(bytes[countAt] ?? 0, dataBytes);
	const goesOn = continued !== undefined && ((bytes[continued.at] ?? 0) & continued.mask) !== 0;
	// The identifier stands in every report of a scan, and counts once.
	const head = state.kind === 'between' ? aimOf(layout, bytes) : new Uint8Array(0);
	const pending = joined(state.pending, head, data.subarray(0, count));
	if (state.kind === 'oversize' || pending.length > scanBytesMax + head.length) {
		const told: readonly Frame[] = state.kind === 'oversize' ? [] : [{ kind: 'oversize', length: pending.length }];
		return [goesOn ? { kind: 'oversize', pending: new Uint8Array(0) } : posStart, told];
	}
	if (goesOn) return [{ kind: 'scan', pending }, []];
	const scan = withoutSuffix(pending);
	return [posStart, scan.length === 0 ? [] : [{ kind: 'frame', bytes: scan }]];
}

/** Drops a scan whose next part did not come: it must not join the next one. */
export function expirePos(state: PosState): [PosState, readonly Frame[]] {
	return [posStart, state.kind === 'scan' ? [{ kind: 'torn', length: state.pending.length }] : []];
}

/** The report behind its id. */
function bodyOf({ reportId, dataAt, dataBytes }: PosLayout, report: Uint8Array): Uint8Array | undefined {
	if (reportId !== 0 && report[0] !== reportId) return undefined;
	const bytes = reportId === 0 ? report : report.subarray(1);
	return bytes.length >= dataAt + Math.min(dataBytes, 1) ? bytes : undefined;
}

function aimOf({ aimAt }: PosLayout, bytes: Uint8Array): Uint8Array {
	const aim = Uint8Array.from((aimAt ?? []).map((at) => bytes[at] ?? 0));
	return aim[0] === flagCharacter ? aim : new Uint8Array(0);
}

function withoutPadding(data: Uint8Array): number {
	return data.findLastIndex((byte) => byte !== 0) + 1;
}

/** The scanner's own suffix goes once; a space is never one. */
function withoutSuffix(bytes: Uint8Array): Uint8Array {
	const last = bytes.at(-1);
	if (last !== CR && last !== LF) return bytes;
	const isPair = last === LF && bytes.at(-2) === CR;
	return bytes.subarray(0, bytes.length - (isPair ? 2 : 1));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
	return Uint8Array.from(Buffer.concat(parts));
}
