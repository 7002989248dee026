import { scanBytesMax } from '../core/scan.ts';
import type { Frame } from './framing.ts';
import { characters, key, keypadDigits } from './keyboard-codes.ts';

/** One event of the kernel's evdev. */
export interface InputEvent {
	readonly type: number;
	readonly code: number;
	readonly value: number;
}

/** What a scanner that types has typed so far. */
export interface KeyboardState {
	readonly text: string;
	readonly shift: boolean;
	/** The digits typed while Alt is held; undefined while it is not. */
	readonly altDigits?: string;
	/** Events were lost, or the code is too long: all that comes before the next end is no code. */
	readonly spoiled: boolean;
}

/** Before the first key. */
export const keyboardStart: KeyboardState = { text: '', shift: false, spoiled: false };

/** What ends a code; `none` where only silence does. */
export type KeyboardSuffix = 'enter' | 'tab' | 'none';

/** Types and codes of events (include/uapi/linux/input-event-codes.h). */
const evSyn = 0;
const evKey = 1;
const synDropped = 3;
const [released, pressed] = [0, 1];

/**
 * Takes one event. Keys are read by where they are on a US keyboard: the scanner is set to it, whatever the host types. Caps
 * and Num Lock are the host's lamps and change no code. Repetitions of a held key are none.
 */
export function feedKey(
	state: KeyboardState,
	{ type, code, value }: InputEvent,
	suffix: KeyboardSuffix,
): [KeyboardState, readonly Frame[]] {
	if (type === evSyn && code === synDropped) return dropped(state);
	if (type !== evKey || (value !== pressed && value !== released)) return [state, []];
	const isDown = value === pressed;
	if (key.shifts.has(code)) return [{ ...state, shift: isDown }, []];
	if (key.alts.has(code)) return alt(state, isDown);
	if (!isDown) return [state, []];
	if (state.altDigits !== undefined) {
		return [{ ...state, altDigits: (state.altDigits + (keypadDigits.get(code) ?? '')).slice(0, altDigitsMax) }, []];
	}
	const isEnter = code === key.enter || code === key.keypadEnter;
	if ((suffix === 'enter' && isEnter) || (suffix === 'tab' && code === key.tab)) return endKeys(state);
	const [plain, shifted] = characters.get(code) ?? (isEnter ? ['\r', '\r'] : ['', '']);
	return typed(state, state.shift ? shifted : plain);
}

/** Ends a code because its suffix came, or the silence after it. */
export function endKeys({ text, shift, spoiled }: KeyboardState): [KeyboardState, readonly Frame[]] {
	const next = { ...keyboardStart, shift };
	// What was spoiled was told when it happened.
	return [next, spoiled || text === '' ? [] : [{ kind: 'frame', bytes: Buffer.from(text) }]];
}

/** Drops a code whose end did not come. */
export function expireKeys({ text, spoiled }: KeyboardState): [KeyboardState, readonly Frame[]] {
	return [keyboardStart, spoiled || text === '' ? [] : [{ kind: 'torn', length: text.length }]];
}

/** The kernel's queue ran over: which keys are down and what was typed is unknown. */
function dropped(state: KeyboardState): [KeyboardState, readonly Frame[]] {
	const told: readonly Frame[] = state.spoiled ? [] : [{ kind: 'torn', length: state.text.length }];
	return [{ ...keyboardStart, spoiled: true }, told];
}

/** Alt and three or four digits. */
const altDigitsMax = 5;

/** Some scanners spell each character as Alt and digits of the keypad; the release of Alt types it. */
function alt(state: KeyboardState, isDown: boolean): [KeyboardState, readonly Frame[]] {
	if (isDown) return [{ ...state, altDigits: '' }, []];
	const { altDigits = '', ...rest } = state;
	return typed(rest, altDigits === '' ? '' : characterOf(altDigits));
}

const windows1252 = new TextDecoder('windows-1252');

/** `0NNN` is a character of Windows-1252; below 128 `NNN` is the same one. What lies in another table is unknown here. */
function characterOf(digits: string): string {
	const number = Number(digits);
	if (number > 255 || (number > 127 && !digits.startsWith('0'))) return '\ufffd';
	return windows1252.decode(Uint8Array.of(number));
}

function typed(state: KeyboardState, character: string): [KeyboardState, readonly Frame[]] {
	if (state.spoiled || character === '') return [state, []];
	const text = state.text + character;
	if (text.length <= scanBytesMax) return [{ ...state, text }, []];
	return [{ ...state, text: '', spoiled: true }, [{ kind: 'oversize', length: text.length }]];
}
