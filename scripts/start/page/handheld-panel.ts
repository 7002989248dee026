import { one } from '../../../gate-agent/display/page/render.ts';
import { writeSentence } from './lane-view.ts';
import { type HandheldState, type OrderSample, orderSamples, type PracticeAction } from './practice-wire.ts';
import { type Language, sampleTexts, type TextKey, texts } from './words.ts';

/** The panel of the handheld: how to open it, who signs in, and tickets to paste there. */
export interface HandheldPanel {
	show(handheld: HandheldState, language: Language): void;
}

/** What the panel does. */
export interface HandheldPanelOptions {
	readonly act: (action: PracticeAction) => void;
	/** Puts a ticket on the clipboard. */
	readonly copy: (sample: OrderSample) => void;
}

/** Fills the panel. */
export function createHandheldPanel({ act, copy }: HandheldPanelOptions): HandheldPanel {
	const cable = one<HTMLButtonElement>('#handheld-cable');
	const link = one<HTMLAnchorElement>('#handheld-open');
	const status = one<HTMLElement>('#handheld-state');
	let isCut = false;
	cable.addEventListener('click', () => act({ kind: 'link', at: 'handheld', up: isCut }));
	link.addEventListener('click', openAsPhone);
	const copies = orderSamples.map((sample) => createCopy(sample, copy));
	return {
		show: (handheld, language) => {
			isCut = handheld.cut;
			label(cable, isCut ? 'heal' : 'cut', language);
			cable.classList.toggle('wanted', isCut);
			showLink(link, handheld);
			label(link, 'open_handheld', language);
			label(status, stateOf(handheld), language);
			showStaff(handheld, language);
			for (const each of copies) each(language);
		},
	};
}

/** A phone's size; where no window may be opened, the link leads to a tab. */
function openAsPhone(event: MouseEvent): void {
	const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey);
	// It is listened for at the link alone.
	const link = event.currentTarget as HTMLAnchorElement;
	if (!isPlain || link.getAttribute('href') === null) return;
	if (window.open(link.href, '_blank', 'popup,width=400,height=860') !== null) event.preventDefault();
}

/** Without its page there is nothing to open. */
function showLink(link: HTMLAnchorElement, { page, open }: HandheldState): void {
	if (page !== 'ready') link.removeAttribute('href');
	else if (link.href !== open) link.href = open;
}

function stateOf({ page, cut, enrolled }: HandheldState): TextKey {
	if (page !== 'ready') return page === 'building' ? 'handheld_building' : 'handheld_failed';
	if (cut) return 'handheld_cut';
	return enrolled ? 'handheld_enrolled' : 'handheld_new';
}

function showStaff({ pins }: HandheldState, language: Language): void {
	const people = (['steward', 'supervisor'] as const).flatMap((role) => [
		['dt', `${role} · ${texts[role][language]}`] as const,
		['dd', `PIN ${pins[role]}`] as const,
	]);
	const list = one('#staff');
	if (list.textContent === people.map(([, text]) => text).join('')) return;
	list.replaceChildren(
		...people.map(([tag, text]) => {
			const element = document.createElement(tag);
			element.textContent = text;
			return element;
		}),
	);
}

function createCopy(sample: OrderSample, copy: (sample: OrderSample) => void): (language: Language) => void {
	const button = document.createElement('button');
	button.type = 'button';
	button.dataset.copy = sample;
	button.addEventListener('click', () => copy(sample));
	one('#copies').append(button);
	return (language) => writeSentence(button, sampleTexts[sample].title[language]);
}

/** Words that change with the state; the key stays for the next change of language. */
function label(element: HTMLElement, key: TextKey, language: Language): void {
	element.dataset.t = key;
	writeSentence(element, texts[key][language]);
}
