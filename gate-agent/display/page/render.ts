import type { Screen } from '../../core/lane-state.ts';
import type { ScreenText } from '../../core/texts.ts';
import type { Language } from './speech.ts';

/** Puts the languages in the order in which they are read. */
export function orderLanguages(languages: readonly Language[]): void {
	const words = one('#words');
	const blocks = languages.map((language) => one(`[data-language=${language}]`));
	words.prepend(...blocks);
	for (const block of words.querySelectorAll<HTMLElement>('.language')) block.hidden = !blocks.includes(block);
}

/** Writes a screen. The tone colors the whole page; the symbol says the same without color. */
export function render(kind: Screen['kind'], text: ScreenText): void {
	document.body.dataset.kind = kind;
	document.body.dataset.tone = text.tone;
	document.body.classList.toggle('cued', text.cue !== undefined);
	one('#mark use').setAttribute('href', `#${text.symbol}`);
	for (const language of ['zh', 'en'] as const) {
		const block = one(`[data-language=${language}]`);
		one('h1', block).textContent = text[language].title;
		one('p', block).textContent = text[language].advice;
	}
	const seat = one<HTMLElement>('#seat');
	seat.hidden = text.seat === undefined;
	one('b', seat).textContent = text.seat ?? '';
	renderGroup(text.progress);
	fitWords();
	replayEntrance();
}

function renderGroup(progress: ScreenText['progress']): void {
	const group = one<HTMLElement>('#group');
	group.hidden = progress === undefined;
	if (progress === undefined) return;
	one('b', group).textContent = `${progress.taken} / ${progress.of}`;
	one<HTMLElement>('i', group).style.transform = `scaleX(${Math.min(1, progress.taken / progress.of)})`;
}

/** Scales of text: few words may be large; below the smallest the page would rather be cut than unreadable. */
const fitRange = { max: 1.36, min: 0.4, step: 0.06 } as const;

/** Below this a Chinese title is better broken into two lines than made smaller still. */
const unbrokenMin = 0.88;

/** Makes the words as large as leaves all of them on the screen. */
export function fitWords(): void {
	const { classList } = document.body;
	classList.remove('breaking');
	if (scaleDown(unbrokenMin)) return;
	classList.add('breaking');
	scaleDown(fitRange.min);
}

/** Tries scales from the largest down; false where even `min` is too large. */
function scaleDown(min: number): boolean {
	for (let scale: number = fitRange.max; scale >= min; scale -= fitRange.step) {
		document.documentElement.style.setProperty('--fit', scale.toFixed(2));
		if (isAllVisible()) return true;
	}
	return false;
}

/** Boxes are compared, because `scrollHeight` also counts the empty ascent of a Chinese font's last line. */
function isAllVisible(): boolean {
	const words = one('#words');
	const place = one('main').getBoundingClientRect();
	const boxes = [words, one('#picture')].map((element) => element.getBoundingClientRect());
	const slackPx = 1;
	return (
		words.scrollWidth <= words.clientWidth + slackPx &&
		boxes.every(({ top, bottom }) => top >= place.top - slackPx && bottom <= place.bottom + slackPx)
	);
}

/** The second of two equal verdicts must be seen to be a new one. */
function replayEntrance(): void {
	document.body.classList.remove('fresh');
	// Reading a size makes the browser notice that the class was gone.
	void document.body.offsetWidth;
	document.body.classList.add('fresh');
}

/** The element of this page's own markup; its absence is a bug. */
export function one<E extends Element = Element>(selector: string, within: ParentNode = document): E {
	const element = within.querySelector<E>(selector);
	if (element === null) throw new Error(`assertion failed: no ${selector}`);
	return element;
}
