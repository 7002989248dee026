import { withCrc } from './modbus-frame.ts';
import type { SerialEvents, SerialLine } from './serial-port.ts';
import { openTcpLine, type TcpOptions } from './tcp-line.ts';

/** Transaction, protocol 0, length, unit (MODBUS Messaging on TCP/IP V1.0b, section 3.1.3). */
const headerBytes = 7;
const crcBytes = 2;

/** What a header may announce: a unit and the longest PDU. */
const lengthMax = 254;

/**
 * Opens a Modbus/TCP connection as a line of RTU frames: a frame that is written goes out under a header in the place of its
 * CRC, and an answer comes in as the RTU frame that it would be. Answers to other transactions are dropped: a late one must
 * not answer the next question. Errors: those of `openTcpLine`.
 */
export async function openMbapLine(options: TcpOptions, on: SerialEvents): Promise<SerialLine> {
	let transaction = 0;
	let waiting: Buffer = Buffer.alloc(0);
	const line = await openTcpLine(options, {
		data: (bytes) => {
			waiting = Buffer.concat([waiting, bytes]);
			while (waiting.length >= headerBytes) {
				const length = waiting.readUInt16BE(4);
				// What is no header cannot be read on from: the stream has no marks.
				if (waiting.readUInt16BE(2) !== 0 || length < 2 || length > lengthMax) {
					waiting = Buffer.alloc(0);
					void line.close();
					return;
				}
				const total = headerBytes - 1 + length;
				if (waiting.length < total) return;
				const frame = waiting.subarray(headerBytes - 1, total);
				if (waiting.readUInt16BE(0) === transaction) on.data(withCrc([...frame]));
				waiting = waiting.subarray(total);
			}
		},
	});
	return {
		...line,
		write: (frame, timeoutMs) => {
			transaction = (transaction + 1) & 0xffff;
			const body = frame.subarray(0, frame.length - crcBytes);
			const bytes = Buffer.alloc(headerBytes - 1 + body.length);
			bytes.writeUInt16BE(transaction, 0);
			bytes.writeUInt16BE(body.length, 4);
			bytes.set(body, headerBytes - 1);
			return line.write(bytes, timeoutMs);
		},
	};
}
