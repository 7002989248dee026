import { useSignal } from '@preact/signals';
import { staffEntryMax } from '../engine/handheld.ts';
import { Choices, optionsOf } from './choices.tsx';
import { classText } from './sentences.ts';
import { Problem, SheetFrame } from './sheet-frame.tsx';
import type { SheetProps } from './sheet-view.tsx';
import { Stepper } from './stepper.tsx';
import { entryReasons, type Text, words } from './words.ts';

/** Admits visitors who need no ticket: infants, free entry. */
export function WithoutTicketSheet({ desk, state }: SheetProps) {
	const classes = [...new Set(state.link.events.flatMap((event) => event.classes))];
	const cls = useSignal(classes.includes('child') ? 'child' : (classes[0] ?? ''));
	const reason = useSignal<keyof typeof entryReasons>('infant');
	const count = useSignal(1);
	const problem = useSignal<Text | undefined>(undefined);
	const submit = async (event: Event) => {
		event.preventDefault();
		const entry = { cls: cls.value, count: count.value, reason: reason.value };
		problem.value = await desk.settle(desk.parts.handheld.staffEntry(entry));
	};
	return (
		<SheetFrame desk={desk} title={words.without_ticket}>
			<form onSubmit={(event) => void submit(event)}>
				<Choices
					desk={desk}
					legend={words.ticket_class}
					name="cls"
					options={classes.map((each) => [each, classText(each)] as const)}
					chosen={cls}
				/>
				<Choices
					desk={desk}
					legend={words.reason}
					name="reason"
					options={optionsOf<keyof typeof entryReasons>(entryReasons)}
					chosen={reason}
				/>
				<p>{desk.say(words.count)}</p>
				<Stepper desk={desk} count={count} max={staffEntryMax} />
				<Problem desk={desk} text={problem.value} />
				<button type="submit" class="main" disabled={cls.value === ''}>
					{desk.say(words.admit)} · {count.value}
				</button>
			</form>
		</SheetFrame>
	);
}
