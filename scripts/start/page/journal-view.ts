import type { JournalRow } from '../../../gate-agent/core/redemption.ts';
import { viewOf } from './journal-words.ts';
import type { PracticeRows } from './practice-wire.ts';
import type { Language } from './words.ts';

/** Rows that stay on the page; older ones are in the ledger. */
const rowsShownMax = 200;

/** The list of journal rows, newest on top. */
export interface JournalView {
	add(rows: PracticeRows, timeZone: string): void;
	speak(language: Language): void;
}

/** Fills the list. A row that is already there is not added again, so a reconnect may repeat rows. */
export function createJournalView(list: HTMLElement, language: Language): JournalView {
	let spoken = language;
	let zone = 'UTC';
	const shown = new Map<string, { readonly row: JournalRow; readonly item: HTMLElement }>();
	return {
		add: (rows, timeZone) => {
			zone = timeZone;
			for (const row of rows) {
				const key = `${row.epoch} ${row.seq}`;
				if (shown.has(key)) continue;
				const item = document.createElement('li');
				write(item, row, { language: spoken, timeZone });
				list.prepend(item);
				shown.set(key, { row, item });
			}
			for (const [key, { item }] of [...shown].slice(0, -rowsShownMax)) {
				item.remove();
				shown.delete(key);
			}
		},
		speak: (next) => {
			spoken = next;
			for (const { row, item } of shown.values()) write(item, row, { language: next, timeZone: zone });
		},
	};
}

function write(
	item: HTMLElement,
	row: JournalRow,
	{ language, timeZone }: { language: Language; timeZone: string },
): void {
	const view = viewOf(row);
	const time = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'medium' }).format(row.at);
	item.className = view.tone;
	item.replaceChildren(
		part('b', view.mark),
		part('span', view.text[language]),
		part('small', [...numberOf(view.ticket), time, ...(view.how ? [view.how[language]] : [])].join('  ')),
	);
	item.title = `#${row.seq}`;
}

function numberOf(ticket: string | undefined): readonly string[] {
	return ticket === undefined ? [] : [`№ ${ticket.split('/')[1]}`];
}

function part(tag: 'b' | 'span' | 'small', text: string): HTMLElement {
	const element = document.createElement(tag);
	element.textContent = text;
	return element;
}
