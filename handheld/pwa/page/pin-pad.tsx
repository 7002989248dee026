import type { Signal } from '@preact/signals';
import type { Desk } from './desk.ts';
import { words } from './words.ts';

/** The longest PIN. */
const pinDigitsMax = 12;

/** A PIN, by thumb or by keys. The field wants no keyboard on the screen: the pad is one. */
export function PinPad({ desk, pin }: { readonly desk: Desk; readonly pin: Signal<string> }) {
	const type = (digit: string) => {
		pin.value = `${pin.value}${digit}`.slice(0, pinDigitsMax);
	};
	return (
		<div class="pin">
			<label>
				{desk.say(words.pin)}
				<input
					type="password"
					inputMode="none"
					autocomplete="off"
					maxLength={pinDigitsMax}
					value={pin.value}
					onInput={(event) => {
						pin.value = event.currentTarget.value.replace(/\D/g, '');
					}}
				/>
			</label>
			<div class="pad">
				{['1', '2', '3', '4', '5', '6', '7', '8', '9', '0'].map((digit) => (
					<button key={digit} type="button" data-digit={digit} onClick={() => type(digit)}>
						{digit}
					</button>
				))}
				<button
					type="button"
					class="erase"
					aria-label={desk.say(words.delete_digit)}
					onClick={() => {
						pin.value = pin.value.slice(0, -1);
					}}
				>
					⌫
				</button>
			</div>
		</div>
	);
}
