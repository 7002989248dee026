import { scanBytesMax } from '../core/scan.ts';
import type { Frame } from './framing.ts';
import { readSsi, type SsiPacket, ssiOpcode, ssiStatus } from './ssi-frame.ts';

/** What came from a scanner. */
export type SsiEvent =
	/** It has taken a command. */
	| { readonly kind: 'acknowledged' }
	/** Decode data, which waits to be acknowledged; with the code where it ends a message that is new. */
	| { readonly kind: 'data'; readonly frame?: Frame }
	/** A message that a silence cut off. */
	| { readonly kind: 'torn'; readonly frame: Frame }
	/** Packets whose sum is wrong, and no other: they are asked for again. */
	| { readonly kind: 'spoiled' };

/** Bytes that do not make a packet yet, and packets that do not make a message. */
export interface SsiState {
	readonly waiting: Uint8Array;
	readonly message: Uint8Array;
	/** The last decode data: where they come again their acknowledgement was lost on the way. */
	readonly last?: string;
}

/** Before the first byte. */
export const ssiStart: SsiState = { waiting: new Uint8Array(0), message: new Uint8Array(0) };

/** Fewer bytes before a silence are noise of the line. */
const tornBytesMin = 8;

/** Takes the next bytes, however they are cut, and gives what they complete. */
export function feedSsi(state: SsiState, bytes: Uint8Array): [SsiState, readonly SsiEvent[]] {
	const { packets, spoiled, rest } = readSsi(Buffer.concat([state.waiting, bytes]));
	let next: SsiState = { ...state, waiting: rest };
	const events: SsiEvent[] = [];
	for (const packet of packets) {
		if (packet.opcode === ssiOpcode.ack) events.push({ kind: 'acknowledged' });
		if (packet.opcode !== ssiOpcode.decodeData) continue;
		const [after, event] = takeData(next, packet);
		next = after;
		events.push(event);
	}
	if (spoiled > 0 && packets.length === 0) events.push({ kind: 'spoiled' });
	return [next, events];
}

/** What is pending when the line falls silent was torn: it must not join the next code. */
export function expireSsi({ waiting, message, ...kept }: SsiState): [SsiState, readonly SsiEvent[]] {
	const length = message.length + waiting.length;
	return [{ ...ssiStart, ...kept }, length < tornBytesMin ? [] : [{ kind: 'torn', frame: { kind: 'torn', length } }]];
}

function takeData(state: SsiState, { status, data }: SsiPacket): [SsiState, SsiEvent] {
	const last = Buffer.from(data).toString('latin1');
	if ((status & ssiStatus.retransmit) !== 0 && last === state.last) return [state, { kind: 'data' }];
	// The first byte is the kind of the code.
	const message = Uint8Array.from(Buffer.concat([state.message, data.subarray(1)]));
	const continues = (status & ssiStatus.continues) !== 0;
	if (continues && message.length <= scanBytesMax) return [{ ...state, message, last }, { kind: 'data' }];
	return [
		{ ...state, message: ssiStart.message, last },
		{ kind: 'data', frame: frameOf(message) },
	];
}

function frameOf(message: Uint8Array): Frame {
	if (message.length > scanBytesMax) return { kind: 'oversize', length: message.length };
	// The scanner's own suffix goes once.
	return { kind: 'frame', bytes: message.at(-1) === 0x0d ? message.subarray(0, -1) : message };
}
