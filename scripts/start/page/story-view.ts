import { one } from '../../../gate-agent/display/page/render.ts';
import { writeSentence } from './lane-view.ts';
import type { LaneRows, PracticeAction, PracticeState, ServerState } from './practice-wire.ts';
import { laneIds, type OrderSample, orderSamples } from './practice-wire.ts';
import { type Language, type TextKey, texts } from './words.ts';

/** The story at the top of the page: four steps, each with what came of it. */
export interface StoryView {
	add(rows: LaneRows): void;
	show(state: PracticeState, server: ServerState, language: Language): void;
}

/** What the buttons of the story do. Whoever presents there goes through as soon as a gate opens. */
const deeds: Readonly<Record<string, PracticeAction>> = {
	present_a: { kind: 'present', sample: 'adult', at: 'both', walk: true },
	refund_b: { kind: 'refund', sample: 'adult_b' },
	present_b: { kind: 'present', sample: 'adult_b', at: 'lane-1', walk: true },
	cut: { kind: 'link', at: 'both', up: false },
	present_c: { kind: 'present', sample: 'adult_c', at: 'both', walk: true },
	heal: { kind: 'link', at: 'both', up: true },
};

type Step = 'once' | 'refund' | 'cut' | 'heal';

/** Connects the story's buttons. */
export function createStoryView(act: (action: PracticeAction) => void): StoryView {
	for (const [name, action] of Object.entries(deeds)) {
		one(`[data-do=${name}]`).addEventListener('click', () => act(action));
	}
	const granted = new Set<string>();
	const revoked = new Set<string>();
	return {
		add: ({ lane, rows }) => {
			for (const row of rows) {
				if (row.kind === 'granted') granted.add(`${lane} ${row.ticket}`);
				if (row.kind === 'denied' && row.reason === 'revoked') revoked.add(`${row.ticket}`);
			}
		},
		show: (state, server, language) => {
			const facts = factsOf(state, server, { granted, revoked });
			for (const step of ['once', 'refund', 'cut', 'heal'] as const) writeStep(step, facts, language);
			mark('refund_b', facts.next === 'refund' && !facts.isRefunded);
			mark('present_b', facts.next === 'refund' && facts.isRefunded);
			mark('present_a', facts.next === 'once');
			mark('cut', facts.next === 'cut' && !facts.isCut);
			mark('present_c', facts.next === 'cut' && facts.isCut);
			mark('heal', facts.next === 'heal' && facts.isCut);
			one('#again').classList.toggle('wanted', facts.next === undefined);
		},
	};
}

interface Facts {
	readonly done: Readonly<Record<Step, boolean>>;
	/** The first step that is not done. */
	readonly next: Step | undefined;
	readonly isRefunded: boolean;
	/** Both cables are cut. */
	readonly isCut: boolean;
}

interface Seen {
	readonly granted: ReadonlySet<string>;
	readonly revoked: ReadonlySet<string>;
}

function factsOf({ lanes }: PracticeState, { tickets, cases }: ServerState, { granted, revoked }: Seen): Facts {
	const ticket = (sample: OrderSample) => tickets.find((each) => each.sample === sample);
	const [a, b, c] = orderSamples.map(ticket);
	const name = (idx: number | undefined) => `lantern-2026/${idx}`;
	const links = laneIds.map((id) => lanes[id].link);
	const isBoth = laneIds.every((id) => granted.has(`${id} ${name(c?.idx)}`)) || (c?.entries.length ?? 0) > 1;
	const done = {
		once: a?.entries.length === 1,
		refund: b?.refunded === true && revoked.has(name(b.idx)),
		cut: isBoth,
		heal: cases.some(({ idx }) => idx === c?.idx),
	};
	const steps: readonly Step[] = ['once', 'refund', 'cut', 'heal'];
	return {
		done,
		next: steps.find((step) => !done[step]),
		isRefunded: b?.refunded === true,
		isCut: links.every(({ cut }) => cut),
	};
}

const outcomes: Readonly<Record<Step, readonly [todo: TextKey, done: TextKey]>> = {
	once: ['once_todo', 'once_done'],
	refund: ['refund_todo', 'refund_done'],
	cut: ['cut_todo', 'cut_done'],
	heal: ['heal_todo', 'heal_done'],
};

function writeStep(step: Step, { done, next, isCut }: Facts, language: Language): void {
	const item = one<HTMLElement>(`[data-step=${step}]`);
	const [todo, outcome] = outcomes[step];
	item.classList.toggle('done', done[step]);
	item.classList.toggle('next', step === next);
	if (step === next) item.setAttribute('aria-current', 'step');
	else item.removeAttribute('aria-current');
	// Between the cable and the case the gates need a moment to find the server again.
	const isWaiting = step === 'heal' && next === 'heal' && !isCut;
	const key = done[step] ? outcome : isWaiting ? 'heal_wait' : todo;
	writeSentence(one('[role=status]', item), texts[key][language]);
}

function mark(name: string, isNext: boolean): void {
	one(`[data-do=${name}]`).classList.toggle('primary', isNext);
}
