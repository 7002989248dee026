import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { feedAll } from './scan-language.suite.ts';
import { encodeSsi, ssiOpcode, ssiStatus } from './ssi-frame.ts';
import { expireSsi, feedSsi, ssiStart } from './ssi-scan.ts';

/** A packet of the scanner with decode data; the first byte is the kind of the code. */
function dataPacket(text: string, status = 0): Uint8Array {
	const packet = encodeSsi(ssiOpcode.decodeData, [0xf1, ...Buffer.from(text)], 0);
	const sumAt = packet.length - 2;
	const view = new DataView(packet.buffer);
	packet[3] = status;
	view.setUint16(sumAt, view.getUint16(sumAt) - status);
	return packet;
}

const fed = (...pieces: readonly Uint8Array[]) => feedAll({ start: ssiStart, feed: feedSsi }, pieces);

const frame = (text: string) => ({ kind: 'frame', bytes: Uint8Array.from(Buffer.from(text)) });

describe('messages of a scanner', () => {
	it('of several packets are one code, and each packet is to be acknowledged', () => {
		const { items: events } = fed(
			dataPacket('ONE', ssiStatus.continues),
			dataPacket('TWO\r'),
			encodeSsi(ssiOpcode.ack, [], 0),
		);
		expect(events).toEqual([{ kind: 'data' }, { kind: 'data', frame: frame('ONETWO') }, { kind: 'acknowledged' }]);
	});

	it('that come again are acknowledged again, and are no second code', () => {
		const again = ssiStatus.retransmit;
		const { items: events } = fed(
			dataPacket('CODE'),
			dataPacket('CODE', again),
			dataPacket('NEXT', again),
			dataPacket('NEXT'),
		);
		expect(events.map((event) => 'frame' in event)).toEqual([true, false, true, true]);
		expect(events.every(({ kind }) => kind === 'data')).toBe(true);
	});

	it('whose sum is wrong are asked for again', () => {
		const spoiled = dataPacket('CODE').with(6, 0x58);
		expect(fed(spoiled).items).toEqual([{ kind: 'spoiled' }]);
	});

	it('that stop half-way are torn by a silence, and do not join the next code', () => {
		const { state: half } = fed(dataPacket('HALF OF IT', ssiStatus.continues), dataPacket('REST').subarray(0, 5));
		const [after, torn] = expireSsi(half);
		expect(torn).toEqual([{ kind: 'torn', frame: { kind: 'torn', length: 15 } }]);
		expect(feedSsi(after, dataPacket('WHOLE'))[1]).toEqual([{ kind: 'data', frame: frame('WHOLE') }]);
		expect(expireSsi(fed(Uint8Array.of(0x20, 0xf3, 0x00)).state)[1]).toEqual([]);
	});

	it('are the same however their bytes are cut', () => {
		const texts = fc.array(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 60 }), { maxLength: 4 });
		fc.assert(
			fc.property(texts, fc.array(fc.nat(300), { maxLength: 8 }), (codes, cuts) => {
				const bytes = Uint8Array.from(Buffer.concat(codes.map((code) => dataPacket(code))));
				const at = [0, ...cuts.filter((cut) => cut <= bytes.length).toSorted((a, b) => a - b), bytes.length];
				const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
				expect(fed(...pieces)).toEqual(fed(bytes));
				expect(fed(bytes).items).toEqual(codes.map((code) => ({ kind: 'data', frame: frame(code) })));
			}),
		);
	});
});
