import type { LaneState } from './practice-wire.ts';

/** The drawing of the turnstile and the people in front of it. */
export interface TurnstileView {
	show(lane: LaneState): void;
	/** The visitor steps up and turns back. */
	turnBack(): void;
}

/** Draws into the SVG of a lane. How many went through is counted by the lane, so each passage is played once. */
export function createTurnstileView(drawing: SVGElement): TurnstileView {
	let entries: number | undefined;
	let exits: number | undefined;
	let turns = 0;
	const arms = drawing.querySelector<SVGElement>('.arms');
	const play = (name: 'walk' | 'walk-out' | 'back') => {
		drawing.classList.remove('walk', 'walk-out', 'back');
		// Reading a size makes the browser notice that the animation ended.
		drawing.getBoundingClientRect();
		drawing.classList.add(name);
	};
	const turn = (by: number) => {
		turns += by;
		arms?.style.setProperty('transform', `rotate(${turns * 120}deg)`);
	};
	return {
		show: ({ open, passages, lamps, contacts, plugged, pulsing }) => {
			drawing.classList.toggle('open', open.entry || open.exit);
			drawing.classList.toggle('pulsing', pulsing);
			drawing.classList.toggle('alarm', contacts.fire === true);
			drawing.classList.toggle('blind', !plugged.scanner);
			for (const lamp of ['green', 'red', 'amber', 'buzzer'] as const) {
				drawing.classList.toggle(`lit-${lamp}`, lamps.includes(lamp));
			}
			if (entries !== undefined && passages.entry > entries) {
				turn(passages.entry - entries);
				play('walk');
			}
			if (exits !== undefined && passages.exit > exits) {
				turn(exits - passages.exit);
				play('walk-out');
			}
			entries = passages.entry;
			exits = passages.exit;
		},
		turnBack: () => play('back'),
	};
}
