import type { ReportDescriptor, ReportField } from './report-descriptor.ts';

/** Where a POS scanner puts the parts of a scan in its report. Bytes are counted behind the report's id. */
export interface PosLayout {
	/** 0 where the device has no ids. */
	readonly reportId: number;
	readonly dataAt: number;
	readonly dataBytes: number;
	/** How many bytes of data the report holds; absent where a report is filled up with NUL. */
	readonly countAt?: number;
	/** Three bytes of AIM identifier, each where its field says. */
	readonly aimAt?: readonly [number, number, number];
	/** The bit that says that the next report goes on. */
	readonly continued?: { readonly at: number; readonly mask: number };
}

/** The output report that beeps. `good` and `bad` are whole reports, their id first. */
export interface PosBeeps {
	readonly good: Uint8Array;
	readonly bad: Uint8Array;
}

/** Usages of HID Point of Sale 1.02 (Barcode Scanner page 0x8C), page and usage in one number. */
const usage = {
	scanner: 0x8c_0002,
	errorBeep: 0x8c_0085,
	goodBeep: 0x8c_0086,
	aim: [0x8c_00fb, 0x8c_00fc, 0x8c_00fd],
	data: 0x8c_00fe,
	continued: 0x8c_00ff,
	/** Generic Desktop: byte count. */
	byteCount: 0x01_003b,
} as const;

/** Whether a device calls itself a POS scanner. */
export function isPosScanner({ collections }: ReportDescriptor): boolean {
	return collections.includes(usage.scanner);
}

/** Finds the parts of a scan; undefined where the device has no decoded data. */
export function posLayoutOf({ fields }: ReportDescriptor): PosLayout | undefined {
	const inputs = fields.filter(({ kind }) => kind === 'input');
	const data = inputs.find(({ usages, bits, count }) => usages.includes(usage.data) && bits === 8 && count > 1);
	if (data === undefined) return undefined;
	const { reportId } = data;
	const inReport = inputs.filter((field) => field.reportId === reportId);
	const aim = usage.aim.map((each) => byteOf(inReport, each));
	const [first, second, third] = aim;
	const count = byteOf(inReport, usage.byteCount);
	const continued = bitOf(inReport, usage.continued);
	return {
		...{ reportId, dataAt: data.fromBit / 8, dataBytes: data.count },
		...(count !== undefined && { countAt: count }),
		...(first !== undefined &&
			second !== undefined &&
			third !== undefined && { aimAt: [first, second, third] as const }),
		...(continued !== undefined && { continued: { at: Math.floor(continued / 8), mask: 1 << (continued % 8) } }),
	};
}

/** Finds the report that beeps by its usages; undefined where the device has none. */
export function posBeepsOf({ fields }: ReportDescriptor): PosBeeps | undefined {
	const outputs = fields.filter(({ kind }) => kind === 'output');
	const [good, bad] = [usage.goodBeep, usage.errorBeep].map((each) => {
		const field = outputs.find(({ usages, bits }) => usages.includes(each) && bits === 1);
		const bit = field && bitOf([field], each);
		if (field === undefined || bit === undefined) return undefined;
		const bytes = outputs.filter(({ reportId }) => reportId === field.reportId).map(endOf);
		const report = new Uint8Array(1 + Math.ceil(Math.max(...bytes) / 8));
		report[0] = field.reportId;
		report[1 + Math.floor(bit / 8)] = 1 << (bit % 8);
		return report;
	});
	return good && bad && { good, bad };
}

function endOf({ fromBit, bits, count }: ReportField): number {
	return fromBit + bits * count;
}

/** The byte that a usage has for itself. */
function byteOf(fields: readonly ReportField[], wanted: number): number | undefined {
	const bit = bitOf(
		fields.filter(({ bits }) => bits === 8),
		wanted,
	);
	return bit === undefined ? undefined : bit / 8;
}

/** The first bit of a usage: the n-th usage of a field stands for its n-th value. */
function bitOf(fields: readonly ReportField[], wanted: number): number | undefined {
	for (const { usages, fromBit, bits, count, isConstant } of fields) {
		const index = usages.indexOf(wanted);
		if (index >= 0 && index < count && !isConstant) return fromBit + index * bits;
	}
	return undefined;
}
