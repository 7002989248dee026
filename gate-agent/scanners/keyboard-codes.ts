/** Keys of a US keyboard by evdev code (include/uapi/linux/input-event-codes.h): without and with shift. */
const rows: readonly (readonly [first: number, plain: string, shifted: string])[] = [
	[2, '1234567890-=', '!@#$%^&*()_+'],
	[16, 'qwertyuiop[]', 'QWERTYUIOP{}'],
	[30, "asdfghjkl;'`", 'ASDFGHJKL:"~'],
	[43, '\\zxcvbnm,./', '|ZXCVBNM<>?'],
];

/** Keys that stand alone, shift or not. */
const others: readonly (readonly [code: number, character: string])[] = [
	[15, '\t'],
	[57, ' '],
	...[...'789-456+1230.'].map((character, index) => [71 + index, character] as const),
	[55, '*'],
	[98, '/'],
];

/** Characters by key. */
export const characters: ReadonlyMap<number, readonly [plain: string, shifted: string]> = new Map([
	...rows.flatMap(([first, plain, shifted]) =>
		[...plain].map((character, index) => [first + index, [character, shifted[index] ?? '']] as const),
	),
	...others.map(([code, character]) => [code, [character, character]] as const),
]);

/** Digits of the keypad: with Alt held they spell the number of a character. */
export const keypadDigits: ReadonlyMap<number, string> = new Map(
	[...'789', '', ...'456', '', ...'1230'].flatMap((digit, index) =>
		digit === '' ? [] : [[71 + index, digit] as const],
	),
);

/** Keys with a meaning of their own. */
export const key = {
	enter: 28,
	keypadEnter: 96,
	tab: 15,
	shifts: new Set([42, 54]),
	alts: new Set([56, 100]),
} as const;
