/** How one family of USB HID relay boards speaks. Reports are without their id, which is 0. */
export interface HidRelayBoard {
	/** What the product string must look like: several of these ids are shared by all kinds of devices. */
	readonly product: RegExp;
	/** Orders one coil. */
	readonly order: (channel: number, closed: boolean) => Uint8Array;
	/** The feature report (16 is no board's) that tells serial and coils; absent where the board tells nothing. */
	readonly tells?: {
		readonly reportId: number;
		readonly bytes: number;
		/** Characters of the board's own serial, at the beginning. */
		readonly serialBytes: number;
		/** Byte with a bit for each coil. */
		readonly coilsAt: number;
	};
	readonly channelsMax: number;
}

/** Bytes of a report without its id. */
const reportBytes = 8;

function padded(...bytes: readonly number[]): Uint8Array {
	const report = new Uint8Array(reportBytes);
	report.set(bytes);
	return report;
}

/**
 * The boards that are known. Sources: dcttech's firmware (github.com/pavel-a/usb-relay-hid, darrylb123/usbrelay,
 * u1f35c/usb-relay-firmware), and usbrelay's table of clones for the others.
 */
export const hidRelayBoards = {
	dcttech: {
		product: /USBRelay[1-8]/,
		order: (channel, closed) => padded(closed ? 0xff : 0xfd, channel),
		tells: { reportId: 1, bytes: 9, serialBytes: 5, coilsAt: 7 },
		channelsMax: 8,
	},
	ucreatefun: {
		product: /HIDRelay/,
		order: (channel, closed) => padded((closed ? 0xf0 : 0x00) + channel),
		channelsMax: 8,
	},
	/** CH551 boards such as QYF-UR02; they have no name of their own. */
	ch551: {
		product: /./,
		order: (channel, closed) => padded((closed ? 0xf0 : 0x00) + channel),
		channelsMax: 2,
	},
	/** The frames of serial LCUS boards in HID reports; no product string. */
	lcus: {
		product: /(?:)/,
		order: (channel, closed) => {
			const state = closed ? 1 : 0;
			return padded(0xa0, channel, state, (0xa0 + channel + state) & 0xff);
		},
		channelsMax: 8,
	},
} as const satisfies Readonly<Record<string, HidRelayBoard>>;

/** Names of families of boards. */
export type HidRelayProtocol = keyof typeof hidRelayBoards;
