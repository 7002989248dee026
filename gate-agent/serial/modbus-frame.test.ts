import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	coilOff,
	coilOn,
	crc16,
	createReplyReader,
	encodeRequest,
	type ModbusRequest,
	withCrc,
} from './modbus-frame.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex').replace(/../g, '$& ').trim().toUpperCase();
const bytes = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

describe('requests, byte for byte as in the manuals of the boards', () => {
	const golden: [string, number, ModbusRequest, string][] = [
		['closes coil 0', 1, { kind: 'write_coil', address: 0, value: coilOn }, '01 05 00 00 FF 00 8C 3A'],
		['opens coil 0', 1, { kind: 'write_coil', address: 0, value: coilOff }, '01 05 00 00 00 00 CD CA'],
		['closes all coils', 1, { kind: 'write_coil', address: 0xff, value: coilOn }, '01 05 00 FF FF 00 BC 0A'],
		['opens all coils', 1, { kind: 'write_coil', address: 0xff, value: coilOff }, '01 05 00 FF 00 00 FD FA'],
		['flashes for 0.7 s', 1, { kind: 'write_coil', address: 0x200, value: 7 }, '01 05 02 00 00 07 8D B0'],
		['flashes for 1 s', 1, { kind: 'write_coil', address: 0x200, value: 10 }, '01 05 02 00 00 0A 4C 75'],
		['reads 8 coils', 1, { kind: 'read_coils', start: 0, count: 8 }, '01 01 00 00 00 08 3D CC'],
		['reads 8 inputs', 1, { kind: 'read_inputs', start: 0, count: 8 }, '01 02 00 00 00 08 79 CC'],
		['closes coil 0 (LC-Tech)', 0xff, { kind: 'write_coil', address: 0, value: coilOn }, 'FF 05 00 00 FF 00 99 E4'],
		['opens coil 0 (LC-Tech)', 0xff, { kind: 'write_coil', address: 0, value: coilOff }, 'FF 05 00 00 00 00 D8 14'],
		['reads 8 inputs (LC-Tech)', 0xff, { kind: 'read_inputs', start: 0, count: 8 }, 'FF 02 00 00 00 08 6C 12'],
		['old board, value 0100', 1, { kind: 'write_coil', address: 1, value: 0x100 }, '01 05 00 01 01 00 9D 9A'],
	];
	it.each(golden)('%s', (...[, unit, request, frame]) => {
		expect(hex(encodeRequest(unit, request))).toBe(frame);
	});

	it('gives the check value of CRC-16/MODBUS', () => {
		expect(crc16(new TextEncoder().encode('123456789'))).toBe(0x4b37);
	});

	it.each([
		[0, { kind: 'read_coils', start: 0, count: 8 }],
		[1, { kind: 'read_coils', start: 0, count: 0 }],
		[1, { kind: 'write_coil', address: 0, value: 0x10000 }],
		[1, { kind: 'write_coil', address: -1, value: 0 }],
		[1, { kind: 'write_coil', address: 0.5, value: 0 }],
	] satisfies [number, ModbusRequest][])('refuses numbers that do not fit a frame (%j %j)', (unit, request) => {
		expect(() => encodeRequest(unit, request)).toThrow(RangeError);
	});
});

describe('replies', () => {
	const read: ModbusRequest = { kind: 'read_coils', start: 0, count: 8 };
	const flash: ModbusRequest = { kind: 'write_coil', address: 0x200, value: 7 };

	it('reads the bits of the manual’s answer', () => {
		const reply = createReplyReader(1, read).push(bytes('01 01 01 41 91 B8'));
		expect(reply).toEqual({ kind: 'bits', bits: [true, false, false, false, false, false, true, false] });
	});

	it('reads an exception', () => {
		expect(createReplyReader(1, flash).push(withCrc([1, 0x85, 2]))).toEqual({ kind: 'exception', code: 2 });
	});

	it('takes the echo of a write only when it is exactly what was sent', () => {
		expect(createReplyReader(1, flash).push(bytes('01 05 02 00 00 07 8D B0'))).toEqual({ kind: 'echo' });
		expect(createReplyReader(1, flash).push(bytes('01 05 02 00 00 0A 4C 75'))).toBeUndefined();
	});

	it.each([
		['a wrong CRC', '01 01 01 41 91 B9'],
		['another station', hex(withCrc([2, 1, 1, 0x41]))],
		['another function', hex(withCrc([1, 2, 1, 0x41]))],
		['a wrong byte count', hex(withCrc([1, 1, 2, 0x41, 0]))],
		['a torn frame', '01 01 01 41 91'],
	])('is not fooled by %s', (_name, frame) => {
		const reader = createReplyReader(1, read);
		expect(reader.push(bytes(frame))).toBeUndefined();
		expect(reader.seen).toBeGreaterThan(0);
	});

	it('finds the reply whatever noise comes before it and however it is torn', () => {
		const noise = fc.uint8Array({ maxLength: 600 });
		const cuts = fc.array(fc.nat(), { maxLength: 8 });
		fc.assert(
			fc.property(noise, cuts, fc.array(fc.boolean(), { minLength: 1, maxLength: 64 }), (before, places, bits) => {
				const request: ModbusRequest = { kind: 'read_inputs', start: 0, count: bits.length };
				// Noise that is itself a frame of this station with a right CRC cannot be told from a reply.
				fc.pre(createReplyReader(7, request).push(before) === undefined);
				const packed = Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) =>
					bits.slice(i * 8, i * 8 + 8).reduce((byte, bit, at) => byte | (Number(bit) << at), 0),
				);
				const stream = Buffer.concat([before, withCrc([7, 2, packed.length, ...packed])]);
				const ends = [...places.map((place) => place % stream.length), stream.length].sort((a, b) => a - b);
				const reader = createReplyReader(7, request);
				const replies = ends.map((end, i) => reader.push(stream.subarray(ends[i - 1] ?? 0, end)));
				expect(replies.findLast((reply) => reply !== undefined)).toEqual({ kind: 'bits', bits });
			}),
		);
	});
});
