import { one } from '../../../gate-agent/display/page/render.ts';
import { createChainView } from './chain-view.ts';
import { connectControls } from './controls.ts';
import { createJournalView } from './journal-view.ts';
import { notify, showState, translate, type Visitor } from './page-view.ts';
import { listenToPractice, sendAction } from './practice-api.ts';
import type { PracticeAction, PracticeState } from './practice-wire.ts';
import { createTurnstileView } from './turnstile-view.ts';
import type { Language } from './words.ts';

function main(): void {
	let language: Language = navigator.language.startsWith('zh') ? 'zh' : 'en';
	let state: PracticeState | undefined;
	let visitor: Visitor = 'waiting';
	const journal = createJournalView(one('#journal'), language);
	const chain = createChainView();
	const turnstile = createTurnstileView(one('#turnstile'));

	const show = () => {
		if (state === undefined) return;
		if (!state.open.entry) visitor = 'waiting';
		turnstile.show(state);
		chain.show(state, language);
		showState(state, visitor, language);
	};
	const act = async (action: PracticeAction) => {
		if (action.kind === 'present') chain.present(action.sample);
		if (action.kind === 'present_text') chain.present('own');
		if (action.kind === 'present' || action.kind === 'present_text') lookAtGate();
		show();
		const result = await sendAction(action);
		notify(result === 'done' ? undefined : result, language);
	};
	connectControls({
		act: (action) => void act(action),
		state: () => state,
		turnBack: () => {
			visitor = 'turned_back';
			turnstile.turnBack();
			show();
		},
		switchLanguage: () => {
			language = language === 'zh' ? 'en' : 'zh';
			translate(language);
			journal.speak(language);
			show();
		},
	});
	translate(language);
	listenToPractice({
		onState: (next) => {
			state = next;
			show();
		},
		onRows: (rows) => {
			journal.add(rows, state?.timeZone ?? 'UTC');
			chain.add(rows);
			show();
		},
		onGone: (gone) => notify(gone ? 'gone' : undefined, language),
	});
}

/** On a phone the tickets lie below the gate: whoever presents one wants to see what the gate does. */
function lookAtGate(): void {
	const display = one('#display');
	if (display.getBoundingClientRect().top < 0) one('#gate').scrollIntoView();
}

main();
