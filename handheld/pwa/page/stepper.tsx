import type { Signal } from '@preact/signals';
import type { Desk } from './desk.ts';
import { words } from './words.ts';

interface StepperProps {
	readonly desk: Desk;
	readonly count: Signal<number>;
	readonly max: number;
}

/** A number of people, by thumb: from one to `max`. */
export function Stepper({ desk, count, max }: StepperProps) {
	const step = (by: number) => {
		count.value = Math.min(max, Math.max(1, count.value + by));
	};
	return (
		<div class="stepper">
			<button type="button" aria-label={desk.say(words.fewer)} disabled={count.value <= 1} onClick={() => step(-1)}>
				−
			</button>
			<output>{count.value}</output>
			<button type="button" aria-label={desk.say(words.more)} disabled={count.value >= max} onClick={() => step(1)}>
				+
			</button>
		</div>
	);
}
