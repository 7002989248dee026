import { useSignal } from '@preact/signals';
import { parseTicketNumber } from '../../../gate-agent/core/check-digit.ts';
import { Choices } from './choices.tsx';
import { classText, problemText } from './sentences.ts';
import { Problem, SheetFrame } from './sheet-frame.tsx';
import type { SheetProps } from './sheet-view.tsx';
import { type Text, words } from './words.ts';

/** Admits by the printed number, where a screen is broken or a code is torn. */
export function TypedSheet({ desk, state }: SheetProps) {
	const { events } = state.link;
	const evt = useSignal(events[0]?.evt ?? '');
	const number = useSignal('');
	const cls = useSignal('');
	const problem = useSignal<Text | undefined>(undefined);
	const classes = events.find((event) => event.evt === evt.value)?.classes ?? [];
	const submit = async (event: Event) => {
		event.preventDefault();
		if (parseTicketNumber(number.value) === undefined) {
			problem.value = problemText({ why: 'bad_number' }, desk.nowMs.value);
			return;
		}
		const ticket = { evt: evt.value, number: number.value, ...(cls.value === '' ? {} : { cls: cls.value }) };
		problem.value = await desk.settle(desk.parts.handheld.typed(ticket));
	};
	return (
		<SheetFrame desk={desk} title={words.typed}>
			<form onSubmit={(event) => void submit(event)}>
				<Choices
					desk={desk}
					legend={words.event}
					name="evt"
					options={events.map((event) => [event.evt, { zh: event.evt, en: event.evt }] as const)}
					chosen={evt}
				/>
				<Choices
					desk={desk}
					legend={words.ticket_class}
					name="cls"
					options={[['', words.class_unknown] as const, ...classes.map((each) => [each, classText(each)] as const)]}
					chosen={cls}
				/>
				<p id="number-advice">{desk.say(words.typed_advice)}</p>
				<label>
					{desk.say(words.ticket_number)}
					<input
						inputMode="numeric"
						autocomplete="off"
						aria-describedby="number-advice"
						placeholder="4711-30"
						value={number.value}
						onInput={(event) => (number.value = event.currentTarget.value)}
					/>
				</label>
				<Problem desk={desk} text={problem.value} />
				<button type="submit" class="main" disabled={number.value === '' || evt.value === ''}>
					{desk.say(words.admit)}
				</button>
			</form>
		</SheetFrame>
	);
}
