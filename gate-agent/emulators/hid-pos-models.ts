/** A kind of POS scanner: its descriptor, and how it puts a code into reports. */
export interface PosModel {
	readonly name: string;
	readonly vendorId: number;
	readonly productId: number;
	readonly descriptor: Uint8Array;
	/** Its descriptor as a keyboard, with the feature report that makes it a POS scanner. */
	readonly keyboard: Uint8Array;
	/** Whether its reports have an AIM identifier. */
	readonly tellsAim: boolean;
	reportsOf(code: string): readonly Uint8Array[];
	/** What an output report makes it beep. */
	beepOf(report: Uint8Array): 'good' | 'bad' | undefined;
}

function hex(text: string): Uint8Array {
	return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}

/** Items of a report descriptor (HID 1.11, section 6.2.2), the barcode scanner page unless they say another one. */
const item = {
	begin: '058C 0902 A101',
	end: 'C0',
	/** Report 2, Scanned Data Report: bytes of 0 to 255. */
	scan: '8502 0912 A102 1500 26FF00 7508',
	byteCount: '0501 093B 9501 8102 058C',
	aim: '09FB 09FC 09FD 9503 8102',
	data: (bytes: number) => `09FE 95${byte(bytes)} 820201`,
	vendorBytes: (bytes: number) => `0666FF 0904 95${byte(bytes)} 8102 058C`,
	/** One bit, and seven without a meaning. */
	continued: '7501 9501 09FF 8102 7507 8103',
	/** Report 4, Trigger Report: bit 1 Prevent Read, 2 Initiate Read, 5 Error Beep, 6 Good Beep. */
	trigger: `8504 0914 A102 1500 2501 7501 9501 9103 095F 9102 0960 9102 9502 9103 9501 0985 9102 0986 9102 9103 C0`,
	/** Report FD: serial commands, a length and up to 62 bytes. */
	commands: '85FD 0666FF 0905 1500 26FF00 7508 953F 9102 058C',
} as const;

function byte(value: number): string {
	return value.toString(16).padStart(2, '0');
}

function descriptorOf(...items: readonly string[]): Uint8Array {
	return hex([item.begin, item.scan, ...items, item.end].join(''));
}

/** A boot keyboard (HID 1.11, appendix B.1) with feature report FE, as Honeywell scanners leave the factory. */
const keyboard =
	hex(`0501 0906 A101 8501 0507 19E0 29E7 1500 2501 7501 9508 8102 9501 7508 8101 9506 7508 1500 2565 0507 1900
	2965 8100 06 00FF 85FE 0901 1500 26FF00 7508 9501 B102 C0`);

interface Layout {
	readonly reportBytes: number;
	readonly dataAt: number;
	readonly dataBytes: number;
	readonly countAt?: number;
	readonly aimAt?: number;
	readonly continuedAt: number;
}

/** Splits a code into reports. Places count from the report's id on, as manuals count them. */
function reports(
	code: string,
	{ reportBytes, dataAt, dataBytes, countAt, aimAt, continuedAt }: Layout,
): readonly Uint8Array[] {
	const [, aim = '', text = code] = aimAt === undefined ? [] : (/^(\][A-Za-z][0-9A-Za-z])?(.*)$/s.exec(code) ?? []);
	const bytes = Buffer.from(text);
	const made: Uint8Array[] = [];
	for (let from = 0; from === 0 || from < bytes.length; from += dataBytes) {
		const part = bytes.subarray(from, from + dataBytes);
		const report = new Uint8Array(reportBytes);
		report[0] = 2;
		report.set(part, dataAt);
		if (countAt !== undefined) report[countAt] = part.length;
		if (aimAt !== undefined) report.set(Buffer.from(aim), aimAt);
		report[continuedAt] = from + dataBytes < bytes.length ? 1 : 0;
		made.push(report);
	}
	return made;
}

function beepOfTrigger(report: Uint8Array): 'good' | 'bad' | undefined {
	if (report[0] !== 4) return undefined;
	const bits = report[1] ?? 0;
	return bits & 0x40 ? 'good' : bits & 0x20 ? 'bad' : undefined;
}

const honeywell: Layout = { reportBytes: 64, countAt: 1, aimAt: 2, dataAt: 5, dataBytes: 56, continuedAt: 63 };
const newland: Layout = { reportBytes: 64, countAt: 1, dataAt: 2, dataBytes: 56, continuedAt: 63 };
const zebra: Layout = { reportBytes: 64, aimAt: 1, countAt: 4, dataAt: 5, dataBytes: 58, continuedAt: 63 };
const datalogic: Layout = { reportBytes: 64, aimAt: 1, dataAt: 4, dataBytes: 59, continuedAt: 63 };

/**
 * POS scanners by vendor. Honeywell's reports are those of its scanners and of Access-IS readers (captures of 0C2E:0B61);
 * Newland's those of its manual for HID POS. Zebra's and Datalogic's are known to have the identifier elsewhere, and
 * Datalogic's is filled up with NUL here; their exact places await a bench.
 */
export const posModels = {
	honeywell: {
		...{ name: 'Honeywell Xenon 1950', vendorId: 0x0c2e, productId: 0x0b61, tellsAim: true, keyboard },
		descriptor: descriptorOf(
			...[item.byteCount, item.aim, item.data(56), item.vendorBytes(2), item.continued, 'C0'],
			...[item.trigger, item.commands],
		),
		reportsOf: (code) => reports(code, honeywell),
		beepOf: beepOfTrigger,
	},
	newland: {
		...{ name: 'Newland FM430', vendorId: 0x1eab, productId: 0x8003, tellsAim: false, keyboard },
		descriptor: descriptorOf(item.byteCount, item.data(56), item.vendorBytes(5), item.continued, 'C0'),
		reportsOf: (code) => reports(code, newland),
		beepOf: () => undefined,
	},
	zebra: {
		...{ name: 'Zebra DS9308', vendorId: 0x05e0, productId: 0x1300, tellsAim: true, keyboard },
		descriptor: descriptorOf(item.aim, item.byteCount, item.data(58), item.continued, 'C0', item.trigger),
		reportsOf: (code) => reports(code, zebra),
		beepOf: beepOfTrigger,
	},
	datalogic: {
		...{ name: 'Datalogic Gryphon GD4500', vendorId: 0x05f9, productId: 0x4204, tellsAim: true, keyboard },
		descriptor: descriptorOf(item.aim, item.data(59), item.continued, 'C0'),
		reportsOf: (code) => reports(code, datalogic),
		beepOf: () => undefined,
	},
} as const satisfies Readonly<Record<string, PosModel>>;
