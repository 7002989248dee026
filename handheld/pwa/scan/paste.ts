import { scanBytesMax } from '../../../gate-agent/core/scan.ts';
import { isEditable } from './editable.ts';
import type { ScanSource, ScanSourceOptions } from './scan-source.ts';

/** @see pasteSource */
export interface PasteOptions extends ScanSourceOptions {
	/** A field for codes: what is pasted or entered there is a code, and the field is emptied. */
	readonly field?: HTMLInputElement;
}

/** Reads codes that a person pastes: anywhere outside of a field, or into the field for codes. */
export function pasteSource({ field, onUnreadable }: PasteOptions = {}): ScanSource {
	return {
		kind: 'paste',
		async start(onText) {
			const ended = new AbortController();
			const options = { signal: ended.signal };
			const report = (pasted: string) => {
				// Only ends of lines: a code may end in a space.
				const text = pasted.replace(/[\r\n]+$/, '');
				if (text.length > scanBytesMax) onUnreadable?.();
				else if (text !== '') onText(text);
			};
			const onPaste = (event: ClipboardEvent) => {
				if (event.target !== field && isEditable(event.target)) return;
				event.preventDefault();
				report(event.clipboardData?.getData('text/plain') ?? '');
			};
			document.addEventListener('paste', onPaste, options);
			field?.addEventListener('change', () => report(emptied(field)), options);
			return { stop: () => ended.abort(), lost: new Promise(() => {}) };
		},
	};
}

function emptied(field: HTMLInputElement): string {
	const { value } = field;
	field.value = '';
	return value;
}
