import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { posModels } from '../emulators/hid-pos-models.ts';
import { isPosScanner, posBeepsOf, posLayoutOf } from './pos-layout.ts';
import { parseReportDescriptor } from './report-descriptor.ts';

function hex(text: string): Uint8Array {
	return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}

/** HID 1.11, appendix B.1: the boot keyboard. */
const keyboard = hex(
	'0501 0906 A101 0507 19E0 29E7 1500 2501 7501 9508 8102 9501 7508 8101 9505 7501 0508 1901 2905 9102 9501 7503 9101 9506 7508 1500 2565 0507 1900 2965 8100 C0',
);

describe('a report descriptor', () => {
	it('is read as the standard’s example says', () => {
		const { collections, fields } = parseReportDescriptor(keyboard);
		expect(collections).toEqual([0x01_0006]);
		expect(fields.map(({ kind, fromBit, bits, count }) => [kind, fromBit, bits, count])).toEqual([
			['input', 0, 1, 8],
			['input', 8, 8, 1],
			['output', 0, 1, 5],
			['output', 5, 3, 1],
			['input', 16, 8, 6],
		]);
		expect(fields[0]?.usages).toEqual(Array.from({ length: 8 }, (_, key) => 0x07_00e0 + key));
		expect(fields[1]).toMatchObject({ isConstant: true });
	});

	it('never throws and never grows, whatever a device says', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 4_096 }), (bytes) => {
				const { fields, collections } = parseReportDescriptor(bytes);
				expect(fields.length).toBeLessThanOrEqual(1_024);
				expect(collections.length).toBeLessThanOrEqual(4_096);
				posLayoutOf({ fields, collections });
				posBeepsOf({ fields, collections });
			}),
		);
	});

	it('that names a range of all usages costs nothing', () => {
		const { fields } = parseReportDescriptor(hex('058C 1900 2BFFFFFFFF 7508 95FF 8102'));
		expect(fields[0]?.usages.length).toBeLessThanOrEqual(256);
	});
});

describe('the reports of a POS scanner', () => {
	it.each([
		[
			'honeywell',
			{ reportId: 2, countAt: 0, aimAt: [1, 2, 3], dataAt: 4, dataBytes: 56, continued: { at: 62, mask: 1 } },
		],
		['newland', { reportId: 2, countAt: 0, dataAt: 1, dataBytes: 56, continued: { at: 62, mask: 1 } }],
		['zebra', { reportId: 2, aimAt: [0, 1, 2], countAt: 3, dataAt: 4, dataBytes: 58, continued: { at: 62, mask: 1 } }],
		['datalogic', { reportId: 2, aimAt: [0, 1, 2], dataAt: 3, dataBytes: 59, continued: { at: 62, mask: 1 } }],
	] as const)('of %s have their parts where its descriptor says', (name, layout) => {
		const descriptor = parseReportDescriptor(posModels[name].descriptor);
		expect(isPosScanner(descriptor)).toBe(true);
		expect(posLayoutOf(descriptor)).toEqual(layout);
	});

	it('beep by the bits of the trigger report', () => {
		const beeps = posBeepsOf(parseReportDescriptor(posModels.honeywell.descriptor));
		expect(beeps).toEqual({ good: Uint8Array.of(4, 0x40), bad: Uint8Array.of(4, 0x20) });
		expect(posBeepsOf(parseReportDescriptor(posModels.newland.descriptor))).toBeUndefined();
	});

	it('are those of no keyboard', () => {
		expect(isPosScanner(parseReportDescriptor(keyboard))).toBe(false);
		expect(posLayoutOf(parseReportDescriptor(keyboard))).toBeUndefined();
	});
});
