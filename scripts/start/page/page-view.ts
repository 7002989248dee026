import { one } from '../../../gate-agent/display/page/render.ts';
import { type PracticeState, sampleNames } from './practice-wire.ts';
import { type Language, sampleTexts, type TextKey, texts } from './words.ts';

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
	one('#language').textContent = texts.other_language[language];
	for (const name of sampleNames) {
		const card = one(`[data-sample=${name}]`);
		one('strong', card).textContent = sampleTexts[name].title[language];
		one('small', card).textContent = sampleTexts[name].about[language];
	}
}

/** Shows which tickets are in hand, and what they are held to. */
export function showPractice({ devices, ticketsVersion }: PracticeState, language: Language): void {
	one('#devices').textContent = texts[devices][language];
	for (const name of sampleNames) {
		const picture = one<HTMLImageElement>(`[data-sample=${name}] img`);
		const address = `/tickets/${name}.png?v=${ticketsVersion}`;
		if (picture.getAttribute('src') !== address) picture.src = address;
	}
}
