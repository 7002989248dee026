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

/** The smallest scale of text: below it the page would rather be cut than unreadable. */
const fitMin = 0.4;

/** Makes long words smaller until all of them are on the screen. */
export function fitWords(): void {
	const main = one<HTMLElement>('main');
	const overflows = () => main.scrollHeight > main.clientHeight + 1 || main.scrollWidth > main.clientWidth + 1;
	for (let scale = 1; scale >= fitMin; scale -= 0.06) {
		document.documentElement.style.setProperty('--fit', scale.toFixed(2));
		if (!overflows()) return;
	}
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
