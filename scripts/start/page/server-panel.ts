import { one } from '../../../gate-agent/display/page/render.ts';
import { writeSentence } from './lane-view.ts';
import type { CaseState, LaneId, PracticeAction, PracticeState, ServerState, TicketState } from './practice-wire.ts';
import { laneIds, orderSamples, outcomeCharactersMax } from './practice-wire.ts';
import { caseText, entryText, linkText, rungsText, ticketText } from './server-words.ts';
import { gateTexts, type Language, sampleTexts, type TextKey, texts } from './words.ts';

/** The panel of the server: how gates reach it, the tickets of an order, and the cases. */
export interface ServerPanel {
	show(state: PracticeState, server: ServerState, language: Language): void;
}

type Act = (action: PracticeAction) => void;

/** Fills the panel. Elements stay, so that neither focus nor what somebody types is lost when news come. */
export function createServerPanel(act: Act): ServerPanel {
	const links = laneIds.map((id) => createLink(id, act));
	const tickets = orderSamples.map((sample) => createTicket(sample, act));
	const cases = createCases(act);
	return {
		show: (state, server, language) => {
			for (const link of links) link(state, language);
			writeSentence(one('#order'), server.order);
			for (const [at, ticket] of server.tickets.entries()) tickets[at]?.(ticket, state.timeZone, language);
			one<HTMLElement>('#no-cases').hidden = server.cases.length > 0;
			cases(server, state.timeZone, language);
		},
	};
}

function createLink(id: LaneId, act: Act): (state: PracticeState, language: Language) => void {
	const name = make('strong');
	const [status, rungs] = [make('span', 'status'), make('small')];
	let isCut = false;
	const button = makeButton(() => act({ kind: 'link', at: id, up: isCut }));
	const words = make('div');
	words.append(name, status, rungs);
	const item = make('li');
	item.dataset.gate = id;
	item.append(words, button);
	one('#links').append(item);
	return ({ lanes }, language) => {
		const { link } = lanes[id];
		isCut = link.cut;
		item.className = link.online && !link.cut ? 'go' : 'stop';
		writeSentence(name, gateTexts[id][language]);
		writeSentence(status, linkText(link, language));
		writeSentence(rungs, rungsText(link, language));
		label(button, link.cut ? 'heal' : 'cut', language);
		button.classList.toggle('wanted', link.cut);
	};
}

type TicketView = (ticket: TicketState, timeZone: string, language: Language) => void;

function createTicket(sample: TicketState['sample'], act: Act): TicketView {
	const [name, status] = [make('strong'), make('span', 'status')];
	const words = make('div');
	words.append(name, status);
	let isRefunded = false;
	const button = makeButton(() => act({ kind: isRefunded ? 'restore' : 'refund', sample }));
	const item = make('li');
	item.dataset.ticket = sample;
	item.append(words, button);
	one('#order-tickets').append(item);
	return (ticket, timeZone, language) => {
		isRefunded = ticket.refunded;
		const { text, tone } = ticketText(ticket, timeZone);
		item.className = tone;
		writeSentence(name, `${sampleTexts[sample].title[language]}  № ${ticket.idx}`);
		writeSentence(status, text[language]);
		label(button, ticket.refunded ? 'restore' : 'refund', language);
		// A used ticket is not refunded; the server would say so.
		button.disabled = !ticket.refunded && (ticket.used || ticket.held);
	};
}

type CasesView = (server: ServerState, timeZone: string, language: Language) => void;

function createCases(act: Act): CasesView {
	const shown = new Map<string, ReturnType<typeof createCase>>();
	const list = one('#cases');
	return ({ cases, tickets }, timeZone, language) => {
		for (const [id, { item }] of shown) {
			if (cases.some((each) => each.id === id)) continue;
			item.remove();
			shown.delete(id);
		}
		// The newest stands first; each is put in at most once, so that what somebody types in is never moved.
		for (const each of [...cases].reverse()) {
			let view = shown.get(each.id);
			if (view === undefined) {
				view = createCase(each.id, act);
				shown.set(each.id, view);
				list.prepend(view.item);
			}
			view.show(each, { tickets, timeZone, language });
		}
	};
}

interface CaseContext {
	readonly tickets: readonly TicketState[];
	readonly timeZone: string;
	readonly language: Language;
}

function createCase(id: string, act: Act) {
	const item = make('li');
	item.dataset.case = id;
	const [title, cause, entries, outcome] = [make('strong'), make('span', 'status'), make('ul'), make('p')];
	const form = make('form');
	const caption = make('label');
	const [words, input] = [make('span'), make('input')];
	const button = make('button');
	button.type = 'submit';
	Object.assign(input, { type: 'text', required: true, maxLength: outcomeCharactersMax, autocomplete: 'off' });
	caption.append(words, input);
	form.append(caption, button);
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		const text = input.value.trim();
		if (text !== '') act({ kind: 'close_case', id, text });
	});
	item.append(title, cause, entries, form, outcome);
	return {
		item,
		show: (found: CaseState, { tickets, timeZone, language }: CaseContext) => {
			const sample = tickets.find(({ idx }) => idx === found.idx)?.sample;
			const text = caseText(found, sample);
			item.className = found.outcome ? 'quiet' : 'stop';
			writeSentence(title, text.title[language]);
			writeSentence(cause, text.cause[language]);
			const lines = found.entries.map((entry) => entryText(entry, timeZone)[language]);
			if (entries.textContent !== lines.join('')) entries.replaceChildren(...lines.map((line) => make('li', '', line)));
			label(words, 'outcome', language);
			label(button, 'close_case', language);
			form.hidden = found.outcome !== undefined;
			writeSentence(outcome, found.outcome ? `${texts.closed[language]} ${found.outcome.text}` : '');
		},
	};
}

function make<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, name = '', text = ''): HTMLElementTagNameMap[Tag] {
	const element = document.createElement(tag);
	element.className = name;
	element.textContent = text;
	return element;
}

function makeButton(click: () => void): HTMLButtonElement {
	const button = make('button');
	button.type = 'button';
	button.addEventListener('click', click);
	return button;
}

/** Words that change with the state; the key stays for the next change of language. */
function label(element: HTMLElement, key: TextKey, language: Language): void {
	element.dataset.t = key;
	writeSentence(element, texts[key][language]);
}
