import type { Signal } from '@preact/signals';
import type { Desk } from './desk.ts';
import type { Text } from './words.ts';

interface ChoicesProps<T extends string> {
	readonly desk: Desk;
	readonly legend: Text;
	readonly name: string;
	readonly options: readonly (readonly [value: T, text: Text])[];
	readonly chosen: Pick<Signal<T>, 'value'>;
}

/** One of few: buttons as large as a thumb. */
export function Choices<T extends string>({ desk, legend, name, options, chosen }: ChoicesProps<T>) {
	return (
		<fieldset class="choices">
			<legend>{desk.say(legend)}</legend>
			{options.map(([value, text]) => (
				<label key={value}>
					<input
						type="radio"
						name={name}
						value={value}
						checked={chosen.value === value}
						onChange={() => (chosen.value = value)}
					/>
					<span>{desk.say(text)}</span>
				</label>
			))}
		</fieldset>
	);
}

/** The options of a table of texts. */
export function optionsOf<T extends string>(table: Readonly<Record<T, Text>>): readonly (readonly [T, Text])[] {
	// The keys of the table are its type's own.
	return Object.entries<Text>(table) as unknown as readonly (readonly [T, Text])[];
}
