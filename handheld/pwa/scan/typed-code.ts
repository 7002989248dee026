import { scanBytesMax } from '../../../gate-agent/core/scan.ts';

/** Longest time between two keys of one code. A scanner takes 1 to 30 ms, a fast typist 80. */
export const keyGapMaxMs = 50;
/** Silence after the last key that ends a code where no Enter or Tab does. */
export const endPauseMs = 100;
/** Shortest code: fewer keys at that speed are a hand that rolls over them. */
export const typedCharsMin = 6;

/** What of a key event counts. `atMs` is monotonic. */
export interface TypedKey {
	readonly key: string;
	/** Control, Alt or Meta is down and AltGraph, which makes characters, is not. */
	readonly isShortcut: boolean;
	/** The key goes to an input method, which makes something else of it. */
	readonly isComposing: boolean;
	readonly atMs: number;
}

/** The keys of one code so far. */
export interface Typing {
	readonly text: string;
	/** Keys that came, also those whose character is unknown. */
	readonly keys: number;
	/** Part of the code is lost, or it is too long: what comes until its end is not a code. */
	readonly spoiled: boolean;
	readonly lastMs: number;
}

/** What the end of a code gives. */
export type Typed = { readonly kind: 'code'; readonly text: string } | { readonly kind: 'unreadable' };

/** Nothing typed yet. */
export const typingStart: Typing = { text: '', keys: 0, spoiled: false, lastMs: Number.NEGATIVE_INFINITY };

/** Takes one key. `typed` is there when it ends a code. */
export function typeKey(before: Typing, key: TypedKey): readonly [Typing, Typed | undefined] {
	if (isSilent(key.key)) return [before, undefined];
	const typing = key.atMs - before.lastMs < keyGapMaxMs ? before : typingStart;
	if (!key.isComposing && (key.key === 'Enter' || key.key === 'Tab')) return [typingStart, endTyping(typing)];
	if (key.isShortcut) return [typingStart, undefined];
	const isCharacter = !key.isComposing && [...key.key].length === 1;
	const text = isCharacter ? typing.text + key.key : typing.text;
	const spoiled = typing.spoiled || !isCharacter || text.length > scanBytesMax;
	return [{ text: spoiled ? '' : text, keys: typing.keys + 1, spoiled, lastMs: key.atMs }, undefined];
}

/** Ends a code by its silence or its last key; nothing where a person typed. */
export function endTyping({ text, keys, spoiled }: Typing): Typed | undefined {
	if (keys < typedCharsMin) return undefined;
	return spoiled ? { kind: 'unreadable' } : { kind: 'code', text };
}

/** Keys that only change others. A dead key is none of them: it swallows a character of the code. */
function isSilent(key: string): boolean {
	return ['Shift', 'CapsLock', 'AltGraph', 'Control', 'Alt', 'Meta', 'NumLock'].includes(key);
}
