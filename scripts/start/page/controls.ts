import type { LaneMode } from '../../../gate-agent/core/lane-state.ts';
import { one } from '../../../gate-agent/display/page/render.ts';
import { type PracticeAction, type PracticeState, sampleNames } from './practice-wire.ts';
import { modeTexts } from './words.ts';

/** What the controls of the page need. */
export interface ControlsOptions {
	readonly act: (action: PracticeAction) => void;
	/** The newest state of the lane: switches turn over what it says. */
	readonly state: () => PracticeState | undefined;
	readonly turnBack: () => void;
	readonly switchLanguage: () => void;
}

/** Makes the sample cards and connects every control. */
export function connectControls(options: ControlsOptions): void {
	const { act, turnBack, switchLanguage } = options;
	one('#samples').append(...sampleNames.map((name) => sampleCard(name, () => act({ kind: 'present', sample: name }))));
	connectButtons(options);
	one('#turn-back').addEventListener('click', turnBack);
	one('#language').addEventListener('click', switchLanguage);
	const mode = one<HTMLSelectElement>('#mode');
	// The practice lane has no exit scanner, so `both` would admit nobody out.
	const modes = Object.keys(modeTexts).filter((name) => name !== 'both');
	mode.append(...modes.map((name) => new Option(name, name)));
	// The options are made from names of modes only.
	mode.addEventListener('change', () => act({ kind: 'mode', mode: mode.value as LaneMode }));
	one('#own').addEventListener('submit', (event) => {
		event.preventDefault();
		const { value } = one<HTMLInputElement>('#own-text');
		if (value !== '') act({ kind: 'present_text', text: value });
	});
}

function connectButtons({ act, state }: ControlsOptions): void {
	const actions: Readonly<Record<string, () => PracticeAction>> = {
		'#walk': () => ({ kind: 'walk', direction: 'entry' }),
		'#walk-out': () => ({ kind: 'walk', direction: 'exit' }),
		'#new-tickets': () => ({ kind: 'new_tickets' }),
		'#staff-button': () => ({ kind: 'press', contact: 'staff_button' }),
		'#reset': () => ({ kind: 'press', contact: 'emergency_reset' }),
		'#force': () => ({ kind: 'force' }),
		'#fire': () => ({ kind: 'set', contact: 'fire', active: state()?.contacts.fire !== true }),
		'#tamper': () => ({ kind: 'set', contact: 'tamper', active: state()?.contacts.tamper !== true }),
		'#scanner-plug': () => ({ kind: 'plug', device: 'scanner', plugged: state()?.plugged.scanner === false }),
		'#board-plug': () => ({ kind: 'plug', device: 'board', plugged: state()?.plugged.board === false }),
	};
	for (const [selector, action] of Object.entries(actions)) {
		one(selector).addEventListener('click', () => act(action()));
	}
}

function sampleCard(name: string, present: () => void): HTMLElement {
	const item = document.createElement('li');
	const button = document.createElement('button');
	const picture = document.createElement('img');
	const words = document.createElement('span');
	picture.alt = '';
	button.type = 'button';
	button.dataset.sample = name;
	words.append(document.createElement('strong'), document.createElement('small'));
	button.append(picture, words);
	button.addEventListener('click', present);
	item.append(button);
	return item;
}
