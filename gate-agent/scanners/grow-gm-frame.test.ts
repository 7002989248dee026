import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeCommand, splitReplies } from './grow-gm-frame.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const show = (bytes: Uint8Array) =>
	Buffer.from(bytes)
		.toString('hex')
		.toUpperCase()
		.replace(/..(?=.)/g, '$& ');

describe('a command', () => {
	test.each<[string, Uint8Array, string]>([
		['asks for the speed', encodeCommand('read', 0x2a, Uint8Array.of(2)), '7E 00 07 01 00 2A 02 D8 0F'],
		['sets 115,200 baud', encodeCommand('write', 0x2a, Uint8Array.of(0x1a, 0)), '7E 00 08 02 00 2A 1A 00 E4 7E'],
		['sets 9600 baud', encodeCommand('write', 0x2a, Uint8Array.of(0x39, 1)), '7E 00 08 02 00 2A 39 01 A7 EA'],
		['triggers a read', encodeCommand('write', 0x02, Uint8Array.of(1)), '7E 00 08 01 00 02 01 02 DA'],
		['restores the factory', encodeCommand('write', 0xd9, Uint8Array.of(0x50)), '7E 00 08 01 00 D9 50 81 D3'],
		['saves to flash', encodeCommand('save'), '7E 00 09 01 00 00 00 DE C8'],
		['is a heartbeat', encodeCommand('heartbeat'), '7E 00 0A 01 00 00 00 30 1A'],
	])('%s as the manual prints it', (_name, bytes, expected) => {
		expect(show(bytes)).toBe(expected);
	});
});

const done = hex('02 00 00 01 00 33 31');
const alive = hex('03 00 00 01 00 33 31');
const speed = hex('02 00 00 02 39 01 C1 4C');
const join = (...parts: (Uint8Array | string)[]) =>
	Uint8Array.from(Buffer.concat(parts.map((part) => Buffer.from(part))));

describe('the stream of a module', () => {
	test.each<[string, Uint8Array, string, string[], string]>([
		['a confirmation', done, '', ['00'], ''],
		['the speed', speed, '', ['39 01'], ''],
		['a heartbeat between codes', join('A  B\r', alive, ' C\r'), 'A  B\r C\r', ['00'], ''],
		['a heartbeat inside a code', join('SW1:', alive, 'A\r'), 'SW1:A\r', ['00'], ''],
		['two answers', join(done, speed), '', ['00', '39 01'], ''],
		['an answer that is torn', speed.subarray(0, 5), '', [], '02 00 00 02 39'],
		['the first byte of an answer', join('A\r', '\x02'), 'A\r', [], '02'],
		['STX in front of a code', join('\x02', 'A\r'), '\x02A\r', [], ''],
		['a bad CRC', hex('02 00 00 01 00 33 32'), '\x02\0\0\x01\x0032', [], ''],
		['a length that no answer has', join(hex('02 00 00 FF'), 'x'), '\x02\0\0\xffx', [], ''],
	])('has %s', (_name, bytes, text, replies, held) => {
		const split = splitReplies(bytes);
		expect(Buffer.from(split.text).toString('latin1')).toBe(text);
		expect(split.replies.map(show)).toEqual(replies);
		expect(show(split.held)).toBe(held);
	});

	test('gives the same however it is cut', () => {
		const part = fc.constantFrom(done, alive, speed, hex('02'), hex('02 00'), hex('02 00 00 05'), hex('41'), hex('0D'));
		fc.assert(
			fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
				const stream = join(...parts);
				const whole = splitReplies(stream);
				let held: Uint8Array = new Uint8Array(0);
				const text: Uint8Array[] = [];
				const replies: Uint8Array[] = [];
				for (const byte of stream) {
					const split = splitReplies(join(held, Uint8Array.of(byte)));
					held = split.held;
					text.push(split.text);
					replies.push(...split.replies);
				}
				const shown = (all: readonly Uint8Array[]) => all.map(show);
				expect(shown([join(...text), held, ...replies])).toEqual(shown([whole.text, whole.held, ...whole.replies]));
			}),
		);
	});
});
