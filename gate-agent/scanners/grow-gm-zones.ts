/** The two maps of zones: GM60, GM65, GM805, GM861 and Waveshare's module share one, GM812 has another. */
export type GrowGmMap = 'gm65' | 'gm812';

/** One setting of a module: bits of a zone. A zone of two bytes has its low byte first. */
export interface ZoneSetting {
	readonly name: string;
	readonly zone: number;
	readonly bytes: 1 | 2;
	/** The bits that the setting owns; all others stay as they are. */
	readonly mask: number;
	readonly value: number;
}

/**
 * Zones that answer or act, and are no settings. `0x00E1` to `0x00E3` are read-only (hardware and software version,
 * year); `0x00E7` drives the pin OUT1 of a GM812.
 */
export const zones = { hardware: 0x00e1, software: 0x00e2, baudRate: 0x002a, out1: 0x00e7 } as const;

/**
 * Zone 002A for each speed: the divisor of a clock of 3 MHz (GM65 manual V1.3, appendix "baud rate").
 * The fastest comes first; probing follows this order.
 */
export const baudDivisors: readonly (readonly [baudRate: number, divisor: number])[] = [
	[115_200, 0x001a],
	[9600, 0x0139],
	[57_600, 0x0034],
	[38_400, 0x004e],
	[19_200, 0x009c],
	[14_400, 0x00d0],
];

/** The speed that a provisioned module has. */
export const provisionedBaudRate = 115_200;

/**
 * The settings that a gate needs. Sources: GM65 manual V1.3 and Waveshare manual V1.2 (zones 0000, 0003, 0013, 0060),
 * GM812 manual V1.2.1 (zone 000E).
 */
export function gateSettings(map: GrowGmMap, sameCodeDelayMs: number): readonly ZoneSetting[] {
	const delay = Math.round(sameCodeDelayMs / 100);
	return [
		{ name: 'continuous mode', zone: 0x0000, bytes: 1, mask: 0b11, value: 0b10 },
		// A visitor who shows a setting code could turn the scanner to another speed or mode.
		{ name: 'setting codes off', zone: 0x0003, bytes: 1, mask: 0b11, value: 0b10 },
		{ name: 'same-code delay', zone: 0x0013, bytes: 1, mask: 0xff, value: delay === 0 ? 0 : 0x80 | delay },
		map === 'gm812'
			? { name: 'CR behind codes', zone: 0x000e, bytes: 1, mask: 0xff, value: 0 }
			: // Bit 7 wraps codes into packets, bits 6 and 5 choose the mark (0 is CR), bit 0 turns it on.
				{ name: 'CR behind codes', zone: 0x0060, bytes: 1, mask: 0b1110_0001, value: 0b0000_0001 },
	];
}
