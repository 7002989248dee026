/** Whether keys that go to this element write into it. */
export function isEditable(target: EventTarget | null): boolean {
	if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
	if (target instanceof HTMLInputElement) return !['button', 'checkbox', 'radio', 'submit'].includes(target.type);
	return target instanceof HTMLElement && target.isContentEditable;
}
