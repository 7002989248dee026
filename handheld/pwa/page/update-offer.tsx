import type { Desk } from './desk.ts';
import { words } from './words.ts';

/** Offers a new version: taken when staff say so, never in the middle of a visitor. */
export function UpdateOffer({ desk }: { readonly desk: Desk }) {
	const apply = desk.parts.update.value;
	if (apply === undefined) return null;
	return (
		<div class="offer" role="status">
			<span>{desk.say(words.new_version)}</span>
			<button type="button" onClick={apply}>
				{desk.say(words.update_now)}
			</button>
		</div>
	);
}
