import { scanBytesMax } from '../../../gate-agent/core/scan.ts';
import { isEditable } from './editable.ts';
import type { ScanSession, ScanSource, ScanSourceOptions } from './scan-source.ts';
import { createSilence } from './silence.ts';
import { endPauseMs, endTyping, type Typed, type TypedKey, typeKey, typingStart } from './typed-code.ts';

/** Shortest text that a field gets at once and that counts as scanned; a keyboard's suggestions are shorter. */
const wholeCharsMin = 20;

/**
 * Reads a scan engine that types: key by key anywhere outside of a field, or, as Android's engines do, a whole text at
 * once into the field that has the focus. Keys that a person types into a field are not touched.
 */
export function wedgeSource({ onUnreadable }: ScanSourceOptions = {}): ScanSource {
	return {
		kind: 'wedge',
		async start(onText) {
			const report = (typed: Typed | undefined) => {
				if (typed?.kind === 'code') onText(typed.text);
				if (typed?.kind === 'unreadable') onUnreadable?.();
			};
			return listen(report);
		},
	};
}

function listen(report: (typed: Typed | undefined) => void): ScanSession {
	const ended = new AbortController();
	const keys = keyReader(report);
	const options = { signal: ended.signal, capture: true };
	document.addEventListener('keydown', keys.onKey, options);
	document.addEventListener('beforeinput', (event) => onWhole(event, report), options);
	const stop = () => {
		ended.abort();
		keys.clear();
	};
	return { stop, lost: new Promise(() => {}) };
}

function keyReader(report: (typed: Typed | undefined) => void) {
	let typing = typingStart;
	const silence = createSilence(endPauseMs, () => {
		const typed = endTyping(typing);
		clear();
		report(typed);
	});
	const clear = () => {
		silence.clear();
		typing = typingStart;
	};
	const onKey = (event: KeyboardEvent) => {
		// A held key repeats as fast as a scanner types.
		if (isEditable(event.target) || event.repeat) return;
		silence.clear();
		const [next, typed] = typeKey(typing, typedKeyOf(event));
		typing = next;
		// Enter and space would press the button that has the focus.
		if (typed !== undefined || typing.keys > 1) event.preventDefault();
		if (typing.keys > 0) silence.heard();
		report(typed);
	};
	return { onKey, clear };
}

function typedKeyOf(event: KeyboardEvent): TypedKey {
	const { key, ctrlKey, altKey, metaKey, isComposing, timeStamp } = event;
	const isShortcut = (ctrlKey || altKey || metaKey) && !event.getModifierState('AltGraph');
	return { key, isShortcut, isComposing: isComposing || key === 'Process', atMs: timeStamp };
}

function onWhole(event: InputEvent, report: (typed: Typed) => void): void {
	const { inputType, data, isComposing } = event;
	if (inputType !== 'insertText' || isComposing || data === null || data.length < wholeCharsMin) return;
	event.preventDefault();
	const text = data.replace(/[\r\n\t]+$/, '');
	report(text.length > scanBytesMax ? { kind: 'unreadable' } : { kind: 'code', text });
}
