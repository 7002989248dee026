import type { LaneMode } from '../../../gate-agent/core/lane-state.ts';
import { one } from '../../../gate-agent/display/page/render.ts';
import { createChainView } from './chain-view.ts';
import { createJournalView } from './journal-view.ts';
import { type Visitor, writeLane } from './lane-view.ts';
import type { LaneAction, LaneId, LaneState, PracticeRows, PracticeState, SampleName } from './practice-wire.ts';
import { createTurnstileView } from './turnstile-view.ts';
import { type Language, laneTexts, modeTexts, texts } from './words.ts';

/** A lane of the page: the visitor's screen, the turnstile, what can be done there, and its journal. */
export interface LanePanel {
	/** A visitor holds a ticket, or something else, to the scanner. */
	present(what: SampleName | 'own'): void;
	show(state: PracticeState, language: Language): void;
	add(rows: PracticeRows, timeZone: string): void;
	/** Names what only this lane has; fixed texts are the page's. */
	speak(language: Language): void;
	/** On a phone the tickets lie below the lanes: whoever presents one wants to see what the gate does. */
	reveal(): void;
}

/** Adds a lane to the page. */
export function createLanePanel(id: LaneId, act: (action: LaneAction) => void): LanePanel {
	const { root, journal } = addLane(id);
	const chain = createChainView(root);
	const turnstile = createTurnstileView(one('.turnstile', root));
	const rows = createJournalView(journal, 'en');
	let visitor: Visitor = 'waiting';
	let shown: { state: PracticeState; language: Language } | undefined;
	const show = (state: PracticeState, language: Language) => {
		shown = { state, language };
		const lane = state.lanes[id];
		if (!lane.open.entry) visitor = 'waiting';
		turnstile.show(lane);
		chain.show(lane, language);
		writeLane({ root, lane, visitor, language, devices: state.devices });
	};
	connect(root, {
		id,
		act,
		lane: () => shown?.state.lanes[id],
		turnBack: () => {
			visitor = 'turned_back';
			turnstile.turnBack();
			if (shown) show(shown.state, shown.language);
		},
	});
	return {
		present: (what) => {
			chain.present(what);
			if (shown) show(shown.state, shown.language);
		},
		show,
		add: (added, timeZone) => {
			rows.add(added, timeZone);
			chain.add(added);
			if (shown) show(shown.state, shown.language);
		},
		speak: (language) => {
			one('.name', root).textContent = laneTexts[id][language];
			one<HTMLElement>('.chain', root).ariaLabel = texts.chain[language];
			one<HTMLIFrameElement>('.display', root).title = `${texts.display[language]}, ${laneTexts[id][language]}`;
			for (const option of one<HTMLSelectElement>('select', root).options) {
				// `connect` makes the options from the same names.
				option.textContent = modeTexts[option.value as LaneMode][language];
			}
			rows.speak(language);
		},
		reveal: () => {
			if (one('.display', root).getBoundingClientRect().top < 0) root.scrollIntoView();
		},
	};
}

/** Copies the template; what names what within a lane gets ids of its own. */
function addLane(id: LaneId): { root: HTMLElement; journal: HTMLElement } {
	const { content } = one<HTMLTemplateElement>('#lane-template');
	// The template holds one section.
	const root = one<HTMLElement>('section', content).cloneNode(true) as HTMLElement;
	root.dataset.lane = id;
	const name = (part: string, of: string) => {
		const element = one(of, root);
		element.id = `${id}-${part}`;
		return element.id;
	};
	root.setAttribute('aria-labelledby', name('name', '.name'));
	one('.turnstile', root).setAttribute('aria-labelledby', name('state', '.gate-state'));
	const journal = one<HTMLElement>('.journal', root);
	journal.setAttribute('aria-labelledby', `${name('journal', '.journal-title')} ${id}-name`);
	one('#lanes').append(root);
	return { root, journal };
}

interface Connection {
	readonly id: LaneId;
	readonly act: (action: LaneAction) => void;
	/** The newest state: switches turn over what it says. */
	readonly lane: () => LaneState | undefined;
	readonly turnBack: () => void;
}

function connect(root: HTMLElement, { id, act, lane, turnBack }: Connection): void {
	const actions: Readonly<Record<string, () => LaneAction>> = {
		'.walk': () => ({ kind: 'walk', lane: id, direction: 'entry' }),
		'.walk-out': () => ({ kind: 'walk', lane: id, direction: 'exit' }),
		'.staff-button': () => ({ kind: 'press', lane: id, contact: 'staff_button' }),
		'.reset': () => ({ kind: 'press', lane: id, contact: 'emergency_reset' }),
		'.force': () => ({ kind: 'force', lane: id }),
		'.fire': () => ({ kind: 'set', lane: id, contact: 'fire', active: lane()?.contacts.fire !== true }),
		'.tamper': () => ({ kind: 'set', lane: id, contact: 'tamper', active: lane()?.contacts.tamper !== true }),
		'.scanner-plug': () => ({
			kind: 'plug',
			lane: id,
			device: 'scanner',
			plugged: lane()?.plugged.scanner === false,
		}),
		'.board-plug': () => ({ kind: 'plug', lane: id, device: 'board', plugged: lane()?.plugged.board === false }),
	};
	for (const [selector, action] of Object.entries(actions)) {
		one(`button${selector}`, root).addEventListener('click', () => act(action()));
	}
	one('.turn-back', root).addEventListener('click', turnBack);
	const mode = one<HTMLSelectElement>('select', root);
	// The practice lanes have no exit scanner, so `both` would admit nobody out.
	const modes = Object.keys(modeTexts).filter((name) => name !== 'both');
	mode.append(...modes.map((name) => new Option(name, name)));
	// The options are made from names of modes only.
	mode.addEventListener('change', () => act({ kind: 'mode', lane: id, mode: mode.value as LaneMode }));
}
