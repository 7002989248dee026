import type { GattCharacteristic, GattPlace } from './radio.ts';
import { samePlace } from './radio.ts';

/** What a scanner is like, as its test scan shows it; the options of the driver `ble`. */
export interface LearnedProfile {
	readonly service: string;
	readonly notify: string;
	/** Absent where the scanner takes nothing. */
	readonly write?: string;
	readonly mode?: 'newland';
	/** Absent in packet mode. */
	readonly suffix?: string;
}

/** Everything that one value has told. */
export interface Told {
	readonly from: GattPlace;
	readonly bytes: Uint8Array;
}

const suffixes = [
	['crlf', [0x0d, 0x0a]],
	['cr', [0x0d]],
	['lf', [0x0a]],
	['tab', [0x09]],
	['etx', [0x03]],
] as const;

/** Newland's packets begin with it (NLS-BS80 manual, "Packet mode", p. 40). */
const packetHead = Uint8Array.of(0x7e, 0x01, 0x30, 0x30, 0x30, 0x30);

/**
 * Learns from a test scan: the codes come from the value that told most, the verdict goes to a value of the same service that
 * can be written. Gives undefined where nothing was told.
 */
export function learnProfile(
	characteristics: readonly GattCharacteristic[],
	told: readonly Told[],
): LearnedProfile | undefined {
	const [most] = told.filter(({ bytes }) => bytes.length > 0).toSorted((a, b) => b.bytes.length - a.bytes.length);
	if (!most) return undefined;
	const { service, characteristic } = most.from;
	const write = writable(characteristics.filter((at) => at.service === service && !samePlace(at, most.from)));
	const isPacket = startsWith(most.bytes, packetHead);
	return {
		service,
		notify: characteristic,
		...(write && { write: write.characteristic }),
		...(isPacket ? { mode: 'newland' } : { suffix: suffixOf(most.bytes) }),
	};
}

function writable(found: readonly GattCharacteristic[]): GattCharacteristic | undefined {
	const fast = found.find(({ properties }) => properties.includes('writeWithoutResponse'));
	return fast ?? found.find(({ properties }) => properties.includes('write'));
}

function suffixOf(bytes: Uint8Array): string {
	const end = suffixes.find(([, mark]) => mark.every((byte, at) => bytes[bytes.length - mark.length + at] === byte));
	return end?.[0] ?? 'none';
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
	return head.every((byte, at) => bytes[at] === byte);
}
