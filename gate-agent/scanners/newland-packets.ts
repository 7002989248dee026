import { scanBytesMax } from '../core/scan.ts';

/** What came from a scanner in packet mode. `plain`: a code outside a packet, so the mode is off. */
export type NewlandEvent =
	| { readonly kind: 'packet' | 'plain'; readonly data: Uint8Array }
	/** A packet whose check is wrong, or bytes that are none. */
	| { readonly kind: 'spoiled'; readonly length: number };

/** Bytes that do not make an event yet. */
export interface NewlandState {
	readonly pending: Uint8Array;
}

/** Before the first byte. */
export const newlandStart: NewlandState = { pending: new Uint8Array(0) };

/** `7E 01 30 30 30 30`, then two bytes of length, the data, `3B 03`, the check (NLS-BS80 manual, "Packet mode", p. 40). */
const head = [0x7e, 0x01, 0x30, 0x30, 0x30, 0x30];
const tail = [0x3b, 0x03];
const lengthAt = head.length;
const dataAt = lengthAt + 2;
const aroundBytes = dataAt + tail.length + 1;

const CR = 0x0d;
const LF = 0x0a;

/** What a host answers: taken (06) or refused (15), and how the scanner tells it. */
export const newlandAnswer = {
	neutral: answer(0x06, 0x00),
	/** Two short beeps. */
	good: answer(0x06, 0x01),
	/** A vibration; a scanner without one buzzes for 200 ms. */
	bad: answer(0x15, 0x02),
} as const;

function answer(code: number, mode: number): Uint8Array {
	return Uint8Array.of(0x02, 0x01, code, mode, ...tail);
}

/** The bytes of a packet, as the scanner sends it. */
export function newlandPacket(data: Uint8Array): Uint8Array {
	return Uint8Array.of(...head, data.length >> 8, data.length & 0xff, ...data, ...tail, checkOf(data));
}

/** The exclusive or of a zero and the data. */
function checkOf(data: Uint8Array): number {
	return data.reduce((sum, byte) => sum ^ byte, 0);
}

/** Takes the next bytes, however they are cut, and gives what they complete. A code outside a packet ends with CR or LF. */
export function feedNewland(state: NewlandState, bytes: Uint8Array): [NewlandState, readonly NewlandEvent[]] {
	let rest = Uint8Array.from(Buffer.concat([state.pending, bytes]));
	const events: NewlandEvent[] = [];
	for (;;) {
		const taken = takeEvent(rest);
		if (taken === undefined) return [{ pending: rest }, events];
		if (taken.event) events.push(taken.event);
		rest = rest.slice(taken.bytes);
	}
}

/** What is pending when the line falls silent was torn: it must not join the next code. */
export function expireNewland({ pending }: NewlandState): [NewlandState, readonly NewlandEvent[]] {
	return [newlandStart, pending.length < tornBytesMin ? [] : [{ kind: 'spoiled', length: pending.length }]];
}

/** Fewer bytes before a silence are noise of the line. */
const tornBytesMin = 8;

function takeEvent(bytes: Uint8Array): { readonly bytes: number; readonly event?: NewlandEvent } | undefined {
	if (bytes.length === 0) return undefined;
	if (bytes[0] === CR || bytes[0] === LF) return { bytes: 1 };
	const isHead = head.slice(0, bytes.length).every((byte, index) => bytes[index] === byte);
	return isHead ? takePacket(bytes) : takePlain(bytes);
}

function takePacket(bytes: Uint8Array) {
	if (bytes.length < dataAt) return undefined;
	const length = ((bytes[lengthAt] ?? 0) << 8) + (bytes[lengthAt + 1] ?? 0);
	if (length > scanBytesMax) return { bytes: head.length, event: { kind: 'spoiled', length } } as const;
	const total = length + aroundBytes;
	if (bytes.length < total) return undefined;
	const data = bytes.slice(dataAt, dataAt + length);
	const isWhole =
		tail.every((byte, index) => bytes[dataAt + length + index] === byte) && bytes[total - 1] === checkOf(data);
	if (isWhole) return { bytes: total, event: { kind: 'packet', data } } as const;
	// The length may be what is wrong: reading goes on behind the head.
	return { bytes: head.length, event: { kind: 'spoiled', length: total } } as const;
}

function takePlain(bytes: Uint8Array) {
	const end = bytes.findIndex((byte) => byte === CR || byte === LF);
	const packet = indexOfHead(bytes);
	const cut = packet > 0 && (end < 0 || packet < end) ? packet : end;
	if (cut < 0) {
		return bytes.length > scanBytesMax
			? ({ bytes: bytes.length, event: { kind: 'spoiled', length: bytes.length } } as const)
			: undefined;
	}
	const data = bytes.slice(0, cut);
	// What stands before a packet is what was left of one.
	if (cut === packet || data.length > scanBytesMax)
		return { bytes: cut, event: { kind: 'spoiled', length: cut } } as const;
	return { bytes: cut + 1, event: { kind: 'plain', data } } as const;
}

function indexOfHead(bytes: Uint8Array): number {
	return Buffer.from(bytes).indexOf(Uint8Array.from(head));
}
