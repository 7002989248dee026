import { setTimeout as delay } from 'node:timers/promises';
import { plugInUhid, type UhidDevice } from './uhid.ts';

/** A scanner that types, on a virtual USB port. */
export interface KeyboardEmulator {
	/** Types a text; `alt` spells each character as Alt and digits of the keypad. */
	type(text: string, way?: 'keys' | 'alt'): Promise<void>;
	/** All reports at once, faster than any program can read. */
	burst(text: string): void;
	unplug(): Promise<void>;
	replug(): Promise<void>;
	close(): void;
}

/** What the device calls itself. */
export interface KeyboardEmulatorOptions {
	readonly vendorId?: number;
	readonly productId?: number;
	readonly serial?: string;
	readonly name?: string;
}

/** The boot keyboard (HID 1.11, appendix B.1): modifiers, a reserved byte, six keys. */
const descriptor = Buffer.from(
	'05010906A101050719E029E71500250175019508810295017508810195067508150025650507190029658100C0',
	'hex',
);

/** HID usages of the keys of a US keyboard (HID Usage Tables, page 7), without and with shift. */
const rows: readonly (readonly [first: number, plain: string, shifted: string])[] = [
	[0x04, 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'],
	[0x1e, '1234567890', '!@#$%^&*()'],
	[0x2d, '-=[]\\', '_+{}|'],
	[0x33, ";'`,./", ':"~<>?'],
];
const alone: Readonly<Record<string, number>> = { '\n': 0x28, '\t': 0x2b, ' ': 0x2c };
const keypad = { one: 0x59, zero: 0x62 };
const modifier = { shift: 0x02, alt: 0x04 } as const;

interface Stroke {
	readonly modifiers: number;
	readonly usage: number;
}

/** Evdev codes of the same keys, for programs that are fed events and not reports. */
const evdevRows: readonly (readonly [first: number, usages: readonly number[]])[] = [
	[2, [0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2d, 0x2e]],
	[16, [...'qwertyuiop'].map(letterUsage).concat(0x2f, 0x30)],
	[30, [...'asdfghjkl'].map(letterUsage).concat(0x33, 0x34, 0x35)],
	[43, [0x31, ...[...'zxcvbnm'].map(letterUsage), 0x36, 0x37, 0x38]],
	[71, [0x5f, 0x60, 0x61, 0x56, 0x5c, 0x5d, 0x5e, 0x57, 0x59, 0x5a, 0x5b, 0x62]],
];
const evdevAlone: Readonly<Record<number, number>> = { 40: 28, 43: 15, 44: 57 };

/** A scanner sends a report at each poll of the bus: every 8 ms as it leaves the factory, faster where it is set so. */
const pollMs = 4;

/** Plugs a typing scanner in. Errors: those of `plugInUhid`. */
export function openKeyboardEmulator(options: KeyboardEmulatorOptions = {}): KeyboardEmulator {
	const { vendorId = 0x05e0, productId = 0x1200, serial = 'KBD-1', name = 'Symbol Bar Code Scanner' } = options;
	let device: UhidDevice | undefined;
	const plug = () => {
		const port = `usb-lab-${serial}/input0`;
		device ??= plugInUhid({ name, vendorId, productId, serial, port, descriptor });
	};
	const unplug = () => {
		device?.destroy();
		device = undefined;
	};
	plug();
	return {
		type: async (text, way = 'keys') => {
			for (const report of reportsOf(text, way)) {
				device?.input(report);
				await delay(pollMs);
			}
		},
		burst: (text) => {
			for (const report of reportsOf(text, 'keys')) device?.input(report);
		},
		unplug: async () => unplug(),
		replug: async () => plug(),
		close: unplug,
	};
}

/** The events of the kernel for the same text: type, code and value. */
export function* typingEvents(
	text: string,
	way: 'keys' | 'alt' = 'keys',
): Generator<{ readonly type: number; readonly code: number; readonly value: number }> {
	let before = 0;
	for (const [modifiers, usage] of strokesOf(text, way).map((stroke) => [stroke.modifiers, stroke.usage] as const)) {
		yield* modifierEvents(before, modifiers);
		before = modifiers;
		if (usage !== 0) {
			yield { type: 1, code: evdevOf(usage), value: 1 };
			yield { type: 0, code: 0, value: 0 };
			yield { type: 1, code: evdevOf(usage), value: 0 };
		}
		yield { type: 0, code: 0, value: 0 };
	}
	yield* modifierEvents(before, 0);
}

function* modifierEvents(before: number, after: number) {
	for (const [bit, code] of [
		[modifier.shift, 42],
		[modifier.alt, 56],
	] as const) {
		if ((before & bit) !== (after & bit)) yield { type: 1, code, value: (after & bit) === 0 ? 0 : 1 };
	}
}

function reportsOf(text: string, way: 'keys' | 'alt'): readonly Uint8Array[] {
	return strokesOf(text, way).flatMap(({ modifiers, usage }) => [
		Uint8Array.of(modifiers, 0, usage, 0, 0, 0, 0, 0),
		Uint8Array.of(usage === 0 ? modifiers : modifiers & modifier.alt, 0, 0, 0, 0, 0, 0, 0),
	]);
}

/** The keys of a text, one after the other. A key of 0 only changes the modifiers. */
function strokesOf(text: string, way: 'keys' | 'alt'): readonly Stroke[] {
	return [...text].flatMap((character): readonly Stroke[] => {
		const usage = alone[character];
		if (usage !== undefined && character !== ' ') return [{ modifiers: 0, usage }];
		return way === 'alt' ? altStrokes(character) : [strokeOf(character)];
	});
}

function strokeOf(character: string): Stroke {
	const usage = alone[character];
	if (usage !== undefined) return { modifiers: 0, usage };
	for (const [first, plain, shifted] of rows) {
		if (plain.includes(character)) return { modifiers: 0, usage: first + plain.indexOf(character) };
		if (shifted.includes(character)) return { modifiers: modifier.shift, usage: first + shifted.indexOf(character) };
	}
	throw new Error(`a US keyboard has no ${character}`);
}

/** Alt, 0 and three digits: the number of a character of Windows-1252, which is that of Unicode for these. */
function altStrokes(character: string): readonly Stroke[] {
	const digits = `0${character.charCodeAt(0).toString().padStart(3, '0')}`;
	const pressed = [...digits].map((digit) => ({
		modifiers: modifier.alt,
		usage: digit === '0' ? keypad.zero : keypad.one + Number(digit) - 1,
	}));
	return [{ modifiers: modifier.alt, usage: 0 }, ...pressed, { modifiers: 0, usage: 0 }];
}

function letterUsage(letter: string): number {
	return 0x04 + letter.charCodeAt(0) - 'a'.charCodeAt(0);
}

function evdevOf(usage: number): number {
	for (const [first, usages] of evdevRows) {
		const index = usages.indexOf(usage);
		if (index >= 0) return first + index;
	}
	return evdevAlone[usage] ?? 0;
}
