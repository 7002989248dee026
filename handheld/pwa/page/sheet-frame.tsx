import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Desk } from './desk.ts';
import { type Text, words } from './words.ts';

interface FrameProps {
	readonly desk: Desk;
	readonly title: Text;
	readonly children: ComponentChildren;
}

/** A dialog at the lower edge: it takes the focus, keeps it, and gives it back. Escape closes it. */
export function SheetFrame({ desk, title, children }: FrameProps) {
	const dialog = useRef<HTMLDialogElement>(null);
	const close = () => {
		desk.sheet.value = undefined;
	};
	useLayoutEffect(() => {
		const shown = dialog.current;
		shown?.showModal();
		// Closing, not only removing, is what gives the focus back.
		return () => shown?.close();
	}, []);
	return (
		<dialog ref={dialog} aria-labelledby="sheet-title" onCancel={close}>
			<div class="sheet-head">
				<h2 id="sheet-title">{desk.say(title)}</h2>
				<button type="button" onClick={close}>
					{desk.say(words.close)}
				</button>
			</div>
			<div class="sheet-body">{children}</div>
		</dialog>
	);
}

/** What went wrong in a sheet, said at once. */
export function Problem({ desk, text }: { readonly desk: Desk; readonly text: Text | undefined }) {
	return (
		<p class="problem" role="alert">
			{text && desk.say(text)}
		</p>
	);
}
