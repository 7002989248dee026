/** One field of a HID report: `count` values of `bits` each, from a bit of the report on (its id not counted). */
export interface ReportField {
	readonly kind: 'input' | 'output' | 'feature';
	/** 0 where the device has no ids. */
	readonly reportId: number;
	/** Page in the upper, usage in the lower 16 bits. */
	readonly usages: readonly number[];
	readonly fromBit: number;
	readonly bits: number;
	readonly count: number;
	/** Padding, without a meaning. */
	readonly isConstant: boolean;
}

/** What a report descriptor says. */
export interface ReportDescriptor {
	/** Usages of its top collections, page and usage as in a field. */
	readonly collections: readonly number[];
	readonly fields: readonly ReportField[];
}

/** Limits of what a device may say: a kernel takes no more either, and a hostile one must cost nothing. */
const fieldsMax = 1_024;
const usagesMax = 256;
const stackMax = 16;

const tag = {
	input: 0x80,
	output: 0x90,
	feature: 0xb0,
	collection: 0xa0,
	endCollection: 0xc0,
	usagePage: 0x04,
	reportSize: 0x74,
	reportId: 0x84,
	reportCount: 0x94,
	push: 0xa4,
	pop: 0xb4,
	usage: 0x08,
	usageMinimum: 0x18,
	usageMaximum: 0x28,
} as const;

const longItem = 0xfe;
const constantFlag = 1;

interface Globals {
	readonly page: number;
	readonly size: number;
	readonly id: number;
	readonly count: number;
}

/**
 * Reads a report descriptor (Device Class Definition for HID 1.11, section 6.2.2). What is cut off or beyond the limits
 * is left out: it never throws, because any device may be plugged in.
 */
export function parseReportDescriptor(bytes: Uint8Array): ReportDescriptor {
	const reader = createReader();
	for (let at = 0; at < bytes.length; ) {
		const prefix = bytes[at] ?? 0;
		if (prefix === longItem) {
			at += 3 + (bytes[at + 1] ?? 0);
			continue;
		}
		const size = [0, 1, 2, 4][prefix & 3] ?? 0;
		const data = bytes.subarray(at + 1, at + 1 + size);
		if (data.length < size) break;
		reader.take(
			prefix & 0xfc,
			data.reduceRight((value, byte) => value * 256 + byte, 0),
			size,
		);
		at += 1 + size;
	}
	return { collections: reader.collections, fields: reader.fields };
}

/** What a global item changes; every other item changes nothing. */
function globalsAfter(globals: Globals, item: number, value: number): Globals {
	switch (item) {
		case tag.usagePage:
			return { ...globals, page: value };
		case tag.reportSize:
			return { ...globals, size: value };
		case tag.reportId:
			return { ...globals, id: value };
		case tag.reportCount:
			return { ...globals, count: value };
		default:
			return globals;
	}
}

function createReader() {
	const collections: number[] = [];
	const fields: ReportField[] = [];
	const nextBit = new Map<string, number>();
	const stack: Globals[] = [];
	let globals: Globals = { page: 0, size: 0, id: 0, count: 0 };
	let usages: number[] = [];
	let minimum: number | undefined;
	let depth = 0;

	/** A usage of four bytes names its page itself. */
	const usageOf = (value: number, size: number) => (size === 4 ? value : globals.page * 0x1_0000 + value);
	const addUsage = (usage: number) => {
		if (usages.length < usagesMax) usages.push(usage);
	};
	const addField = (kind: ReportField['kind'], flags: number) => {
		const { id: reportId, size: bits, count } = globals;
		const place = `${kind} ${reportId}`;
		const fromBit = nextBit.get(place) ?? 0;
		nextBit.set(place, fromBit + bits * count);
		const isConstant = (flags & constantFlag) === constantFlag;
		if (fields.length < fieldsMax) fields.push({ kind, reportId, usages, fromBit, bits, count, isConstant });
	};
	const endMain = () => {
		usages = [];
		minimum = undefined;
	};
	const take = (item: number, value: number, size: number) => {
		switch (item) {
			case tag.push:
				if (stack.length < stackMax) stack.push(globals);
				return;
			case tag.pop:
				globals = stack.pop() ?? globals;
				return;
			case tag.usage:
				return addUsage(usageOf(value, size));
			case tag.usageMinimum:
				minimum = usageOf(value, size);
				return;
			case tag.usageMaximum:
				for (let usage = minimum ?? 1; usage <= usageOf(value, size) && usages.length < usagesMax; usage += 1)
					addUsage(usage);
				return;
			case tag.collection:
				if (depth === 0 && usages[0] !== undefined) collections.push(usages[0]);
				depth += 1;
				return endMain();
			case tag.endCollection:
				depth = Math.max(0, depth - 1);
				return endMain();
			case tag.input:
				addField('input', value);
				return endMain();
			case tag.output:
				addField('output', value);
				return endMain();
			case tag.feature:
				addField('feature', value);
				return endMain();
			default:
				globals = globalsAfter(globals, item, value);
		}
	};
	return { collections, fields, take };
}
