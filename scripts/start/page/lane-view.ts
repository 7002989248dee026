import { one } from '../../../gate-agent/display/page/render.ts';
import type { LaneState, PracticeState } from './practice-wire.ts';
import { type Language, type TextKey, texts } from './words.ts';

/** Whether the page's visitor has just turned back: the gate does not know, it only sees nobody pass. */
export type Visitor = 'waiting' | 'turned_back';

/** A lane and where it is drawn. */
export interface LaneDrawing {
	readonly root: HTMLElement;
	readonly lane: LaneState;
	readonly visitor: Visitor;
	readonly language: Language;
	readonly devices: PracticeState['devices'];
}

/** Shows what state a lane is in. */
export function writeLane({ root, lane, visitor, language, devices }: LaneDrawing): void {
	const { contacts, open, plugged } = lane;
	const button = (selector: string) => one<HTMLButtonElement>(`button${selector}`, root);
	writeSentence(one('.gate-state', root), sentence(lane, visitor, language));
	button('.walk').disabled = !open.entry;
	button('.turn-back').disabled = !open.entry;
	button('.walk-out').disabled = !open.exit;
	button('.staff-button').classList.toggle('wanted', lane.confirming);
	button('.reset').classList.toggle('wanted', lane.emergency && contacts.fire !== true);
	one<HTMLSelectElement>('select', root).value = lane.mode;
	button('.fire').setAttribute('aria-pressed', String(contacts.fire === true));
	button('.tamper').setAttribute('aria-pressed', String(contacts.tamper === true));
	label(button('.scanner-plug'), plugged.scanner ? 'unplug_scanner' : 'plug_scanner', language);
	label(button('.board-plug'), plugged.board ? 'unplug_board' : 'plug_board', language);
	button('.scanner-plug').classList.toggle('wanted', !plugged.scanner);
	button('.board-plug').classList.toggle('wanted', !plugged.board);
	for (const plug of ['.scanner-plug', '.board-plug']) button(plug).hidden = devices === 'simulated';
	const frame = one<HTMLIFrameElement>('.display', root);
	// Without a click inside it a frame may not speak; the link opens a display that may.
	const source = `${lane.display}?speak=off&lang=${language === 'zh' ? 'zh,en' : 'en,zh'}`;
	if (frame.getAttribute('src') !== source) frame.src = source;
	one<HTMLAnchorElement>('.display-link', root).href = lane.display;
}

function sentence(lane: LaneState, visitor: Visitor, language: Language): string {
	return `${texts[situation(lane, visitor)][language]}\n${texts.passed[language]}: ${lane.passages.entry}`;
}

function situation({ ready, emergency, contacts, confirming, open }: LaneState, visitor: Visitor): TextKey {
	if (!ready) return 'not_ready';
	if (emergency) return contacts.fire === true ? 'emergency' : 'emergency_over';
	if (confirming) return 'confirming';
	if (!open.entry && !open.exit) return 'shut';
	return visitor === 'turned_back' ? 'turned_back' : 'open';
}

/** A plug's button says what it will do, so its words change; the key stays for the next change of language. */
function label(button: HTMLElement, key: TextKey, language: Language): void {
	button.dataset.t = key;
	button.textContent = texts[key][language];
}

/** A screen reader announces what is written, so the same is not written twice. */
export function writeSentence(element: Element, text: string): void {
	if (element.textContent !== text) element.textContent = text;
}
