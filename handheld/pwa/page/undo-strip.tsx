import type { Undoable } from '../engine/handheld.ts';
import type { Desk } from './desk.ts';
import { classText, peopleAdmitted, secondsLeft } from './sentences.ts';
import { words } from './words.ts';

/** Admissions that are shown at once to be undone; older ones wait behind. */
const stripsMax = 1;

/** Takes back an admission that was a mistake, for as long as that is allowed. */
export function UndoStrip({ desk, undoable }: { readonly desk: Desk; readonly undoable: readonly Undoable[] }) {
	const nowMs = desk.nowMs.value;
	const open = undoable.filter(({ untilMs }) => untilMs > nowMs).slice(0, stripsMax);
	return (
		<>
			{open.map((each) => (
				<div key={each.redemptionId} class="undo">
					<span>
						{desk.say(classText(each.cls))} · {desk.say(peopleAdmitted(each.people))}
					</span>
					<button type="button" onClick={() => void desk.undo(each)}>
						{desk.say(words.undo)} · {desk.say(secondsLeft(each.untilMs - nowMs))}
					</button>
				</div>
			))}
		</>
	);
}
