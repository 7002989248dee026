import type { LaneMode } from '../../../gate-agent/core/lane-state.ts';
import { one } from '../../../gate-agent/display/page/render.ts';
import { type PracticeState, sampleNames } from './practice-wire.ts';
import { type Language, modeTexts, sampleTexts, texts } from './words.ts';

/** Names of the page's texts. */
export type TextKey = keyof typeof texts;

/** Whether the page's visitor has just turned back: the gate does not know, it only sees nobody pass. */
export type Visitor = 'waiting' | 'turned_back';

/** Shows a sentence above everything else, or takes it away. */
export function notify(key: TextKey | undefined, language: Language): void {
	const notice = one<HTMLElement>('#notice');
	notice.hidden = key === undefined;
	notice.textContent = key === undefined ? '' : texts[key][language];
}

/** Writes every fixed text of the page in a language. */
export function translate(language: Language): void {
	document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
	document.title = `Stileward · ${texts.practice[language]}`;
	for (const element of document.querySelectorAll<HTMLElement>('[data-t]')) {
		// The markup names keys of `texts` only; a browser test proves it.
		element.textContent = texts[element.dataset.t as TextKey][language];
	}
	one('#chain').ariaLabel = texts.practice[language];
	one('#language').textContent = texts.other_language[language];
	one<HTMLIFrameElement>('#display').title = texts.display[language];
	for (const option of one<HTMLSelectElement>('#mode').options) {
		// `connectControls` made the options from the same names.
		option.textContent = modeTexts[option.value as LaneMode][language];
	}
	for (const name of sampleNames) {
		const card = one(`[data-sample=${name}]`);
		one('strong', card).textContent = sampleTexts[name].title[language];
		one('small', card).textContent = sampleTexts[name].about[language];
	}
}

/** Shows what state the lane is in. */
export function showState(state: PracticeState, visitor: Visitor, language: Language): void {
	const { contacts, open, plugged } = state;
	one('#gate-state').textContent = sentence(state, visitor, language);
	one('#devices').textContent = texts[state.devices][language];
	one<HTMLButtonElement>('#walk').disabled = !open.entry;
	one<HTMLButtonElement>('#turn-back').disabled = !open.entry;
	one<HTMLButtonElement>('#walk-out').disabled = !open.exit;
	one('#staff-button').classList.toggle('wanted', state.confirming);
	one('#reset').classList.toggle('wanted', state.emergency && contacts.fire !== true);
	one<HTMLSelectElement>('#mode').value = state.mode;
	press('#fire', contacts.fire === true);
	press('#tamper', contacts.tamper === true);
	label('#scanner-plug', plugged.scanner ? 'unplug_scanner' : 'plug_scanner', language);
	label('#board-plug', plugged.board ? 'unplug_board' : 'plug_board', language);
	one('#scanner-plug').classList.toggle('wanted', !plugged.scanner);
	one('#board-plug').classList.toggle('wanted', !plugged.board);
	for (const plug of ['#scanner-plug', '#board-plug']) one<HTMLElement>(plug).hidden = state.devices === 'simulated';
	showAddresses(state, language);
}

function showAddresses({ display, ticketsVersion }: PracticeState, language: Language): void {
	const frame = one<HTMLIFrameElement>('#display');
	// Without a click inside it a frame may not speak; the link opens a display that may.
	const source = `${display}?speak=off&lang=${language === 'zh' ? 'zh,en' : 'en,zh'}`;
	if (frame.getAttribute('src') !== source) frame.src = source;
	one<HTMLAnchorElement>('#display-link').href = display;
	for (const name of sampleNames) {
		const picture = one<HTMLImageElement>(`[data-sample=${name}] img`);
		const address = `/tickets/${name}.png?v=${ticketsVersion}`;
		if (picture.getAttribute('src') !== address) picture.src = address;
	}
}

function sentence(state: PracticeState, visitor: Visitor, language: Language): string {
	return `${texts[situation(state, visitor)][language]}\n${texts.passed[language]}: ${state.passages.entry}`;
}

function situation({ ready, emergency, contacts, confirming, open }: PracticeState, visitor: Visitor): TextKey {
	if (!ready) return 'not_ready';
	if (emergency) return contacts.fire === true ? 'emergency' : 'emergency_over';
	if (confirming) return 'confirming';
	if (!open.entry && !open.exit) return 'shut';
	return visitor === 'turned_back' ? 'turned_back' : 'open';
}

function press(selector: string, pressed: boolean): void {
	one(selector).setAttribute('aria-pressed', String(pressed));
}

/** A plug's button says what it will do, so its words change; the key stays for the next change of language. */
function label(selector: string, key: TextKey, language: Language): void {
	const button = one<HTMLElement>(selector);
	button.dataset.t = key;
	button.textContent = texts[key][language];
}
