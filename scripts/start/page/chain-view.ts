import type { JournalRow } from '../../../gate-agent/core/redemption.ts';
import { one } from '../../../gate-agent/display/page/render.ts';
import { type RowView, viewOf } from './journal-words.ts';
import { writeSentence } from './lane-view.ts';
import type { LaneState, PracticeRows, SampleName } from './practice-wire.ts';
import { type Language, sampleTexts, type Text, texts } from './words.ts';

/** The way of a ticket from the visitor's hand to the turnstile, each link with what it does now. */
export interface ChainView {
	/** A visitor holds a ticket, or something else, to the scanner. */
	present(what: SampleName | 'own'): void;
	add(rows: PracticeRows): void;
	show(lane: LaneState, language: Language): void;
}

type Tone = RowView['tone'];

/** Kinds of rows that answer a visitor. */
const answers: ReadonlySet<JournalRow['kind']> = new Set(['granted', 'denied', 'exited', 'staff_entry']);

/** Writes into the list of a lane. A new ticket takes the last decision away, until the journal has the next. */
export function createChainView(root: HTMLElement): ChainView {
	let ticket: Text = texts.pick_one;
	let answer: RowView | undefined;
	let newest = 0;
	return {
		present: (what) => {
			ticket = what === 'own' ? texts.own_code : sampleTexts[what].title;
			answer = undefined;
		},
		add: (rows) => {
			for (const row of rows) {
				// A page that was just opened is told of rows that answer nobody here.
				if (answers.has(row.kind) && row.seq > newest && ticket !== texts.pick_one) answer = viewOf(row);
				newest = Math.max(newest, row.seq);
			}
		},
		show: ({ plugged, open, pulsing, confirming, link }, language) => {
			const isOpen = open.entry || open.exit;
			const write = (name: string, text: Text, tone: Tone) =>
				writeLink(one(`[data-link=${name}]`, root), text[language], tone);
			write('ticket', ticket, 'quiet');
			write('scanner', plugged.scanner ? texts.connected : texts.missing, plugged.scanner ? 'quiet' : 'stop');
			const isReachable = link.online && link.reachable;
			write('server', isReachable ? texts.reachable : texts.out_of_reach, isReachable ? 'quiet' : 'wait');
			const waiting = confirming ? texts.staff_button : texts.undecided;
			write('decision', answer?.text ?? waiting, answer?.tone ?? (confirming ? 'wait' : 'quiet'));
			write('relay', ...relayOf({ connected: plugged.board, pulsing, isOpen }));
			write('turnstile', isOpen ? texts.is_open : texts.is_shut, isOpen ? 'go' : 'quiet');
		},
	};
}

/** A pulse is over before anybody reads it: what it did is told as long as the gate is open. */
function relayOf(is: {
	readonly connected: boolean;
	readonly pulsing: boolean;
	readonly isOpen: boolean;
}): [Text, Tone] {
	if (!is.connected) return [texts.missing, 'stop'];
	if (is.pulsing) return [texts.closed_contact, 'go'];
	return is.isOpen ? [texts.pulsed, 'go'] : [texts.at_rest, 'quiet'];
}

function writeLink(item: HTMLElement, text: string, tone: Tone): void {
	item.className = tone;
	// A screen reader announces the decision whenever it is written: only when it is new.
	writeSentence(one('span', item), text);
}
