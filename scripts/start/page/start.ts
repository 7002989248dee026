import { connectControls } from './controls.ts';
import { createHandheldPanel } from './handheld-panel.ts';
import { createLanePanel } from './lane-panel.ts';
import { notify, showPractice, translate } from './page-view.ts';
import { copyTicket, listenToPractice, sendAction } from './practice-api.ts';
import { laneIds, type PracticeAction, type PracticeState, type ServerState, type Where } from './practice-wire.ts';
import { createServerPanel } from './server-panel.ts';
import { createStoryView } from './story-view.ts';
import type { Language } from './words.ts';

function main(): void {
	let language: Language = navigator.language.startsWith('zh') ? 'zh' : 'en';
	let state: PracticeState | undefined;
	let server: ServerState | undefined;

	const act = async (action: PracticeAction) => {
		if (action.kind === 'present') lookAt(action.at, action.sample);
		if (action.kind === 'present_text') lookAt(action.at, 'own');
		const result = await sendAction(action);
		notify(result === 'done' ? undefined : result, language);
	};
	const panels = laneIds.map((id) => ({ id, panel: createLanePanel(id, (action) => void act(action)) }));
	const lookAt = (at: Where, what: Parameters<(typeof panels)[number]['panel']['present']>[0]) => {
		const shown = panels.filter(({ id }) => at === 'both' || at === id);
		for (const { panel } of shown) panel.present(what);
		shown[0]?.panel.reveal();
	};
	const story = createStoryView((action) => void act(action));
	const serverPanel = createServerPanel((action) => void act(action));
	const handheldPanel = createHandheldPanel({
		act: (action) => void act(action),
		copy: (sample) =>
			void copyTicket(sample).then((result) => notify(result === 'done' ? undefined : result, language)),
	});
	const show = () => {
		if (state === undefined) return;
		showPractice(state, language);
		for (const { panel } of panels) panel.show(state, language);
		handheldPanel.show(state.handheld, language);
		if (server === undefined) return;
		story.show(state, server, language);
		serverPanel.show(state, server, language);
	};
	const speak = () => {
		translate(language);
		for (const { panel } of panels) panel.speak(language);
		show();
	};
	connectControls({
		act: (action) => void act(action),
		switchLanguage: () => {
			language = language === 'zh' ? 'en' : 'zh';
			speak();
		},
	});
	speak();
	listenToPractice({
		onState: (next) => {
			state = next;
			show();
		},
		onServer: (next) => {
			server = next;
			show();
		},
		onRows: (added) => {
			panels.find(({ id }) => id === added.lane)?.panel.add(added.rows, state?.timeZone ?? 'UTC');
			story.add(added);
			show();
		},
		onGone: (gone) => notify(gone ? 'gone' : undefined, language),
	});
}

main();
