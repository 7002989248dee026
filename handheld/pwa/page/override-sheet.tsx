import { useSignal } from '@preact/signals';
import { Choices, optionsOf } from './choices.tsx';
import { PinPad } from './pin-pad.tsx';
import { Problem, SheetFrame } from './sheet-frame.tsx';
import type { SheetProps } from './sheet-view.tsx';
import { overrideReasons, type Text, words } from './words.ts';

type ReasonCode = keyof typeof overrideReasons;

/** A supervisor admits what was refused: why, who, and their PIN. */
export function OverrideSheet({ desk, state, ask }: SheetProps & { readonly ask: number }) {
	const code = useSignal<ReasonCode>('left_by_mistake');
	const own = useSignal('');
	const name = useSignal(state.staff.role === 'supervisor' ? state.staff.name : '');
	const pin = useSignal('');
	const problem = useSignal<Text | undefined>(undefined);
	const reason = reasonOf(code.value, own.value);
	const submit = async (event: Event) => {
		event.preventDefault();
		const by = { name: name.value.trim(), pin: pin.value, reason };
		pin.value = '';
		problem.value = await desk.settle(desk.parts.handheld.override(ask, by));
	};
	return (
		<SheetFrame desk={desk} title={words.override_title}>
			<form onSubmit={(event) => void submit(event)}>
				<Choices
					desk={desk}
					legend={words.reason}
					name="reason"
					options={optionsOf<ReasonCode>(overrideReasons)}
					chosen={code}
				/>
				<label>
					{desk.say(words.reason_own)}
					<input
						autocomplete="off"
						maxLength={ownLengthMax}
						value={own.value}
						onInput={(event) => (own.value = event.currentTarget.value)}
					/>
				</label>
				<label>
					{desk.say(words.supervisor)}
					<input
						autocomplete="off"
						autocapitalize="none"
						value={name.value}
						onInput={(event) => (name.value = event.currentTarget.value)}
					/>
				</label>
				<PinPad desk={desk} pin={pin} />
				<Problem desk={desk} text={problem.value} />
				<button type="submit" class="main" disabled={reason === '' || name.value.trim() === '' || pin.value === ''}>
					{desk.say(words.admit_anyway)}
				</button>
			</form>
		</SheetFrame>
	);
}

/** The longest explanation. */
const ownLengthMax = 80;

/** The code for reports, with the explanation behind it; "other" is nothing without one. */
function reasonOf(code: ReasonCode, own: string): string {
	const text = own.trim();
	if (code === 'other') return text;
	return text === '' ? code : `${code}: ${text}`;
}
