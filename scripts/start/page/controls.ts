import { one } from '../../../gate-agent/display/page/render.ts';
import { type PracticeAction, sampleNames, type Where } from './practice-wire.ts';

/** What the controls beside the lanes need. */
export interface ControlsOptions {
	readonly act: (action: PracticeAction) => void;
	readonly switchLanguage: () => void;
}

/** Makes the sample cards and connects what presents a ticket. */
export function connectControls({ act, switchLanguage }: ControlsOptions): void {
	const cards = sampleNames.map((sample) => sampleCard(sample, () => act({ kind: 'present', sample, at: chosen() })));
	one('#samples').append(...cards);
	for (const button of ['#new-tickets', '#again']) {
		one(button).addEventListener('click', () => act({ kind: 'new_tickets' }));
	}
	one('#language').addEventListener('click', switchLanguage);
	one('#own').addEventListener('submit', (event) => {
		event.preventDefault();
		const { value } = one<HTMLInputElement>('#own-text');
		if (value !== '') act({ kind: 'present_text', text: value, at: chosen() });
	});
}

/** Where tickets are presented. The page has these values only. */
function chosen(): Where {
	return one<HTMLInputElement>('#at input:checked').value as Where;
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
