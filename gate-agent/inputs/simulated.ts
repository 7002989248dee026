import { type Static, Type } from 'typebox';
import {
	type Driver,
	type InputEvents,
	type InputRole,
	type InputStates,
	type Inputs,
	inputRoles,
} from '../core/device.ts';
import { StilewardError } from '../core/errors.ts';

/** The contacts that simulated inputs read: a turnstile model, or a page where someone presses them. */
export interface SimulatedContacts {
	states(): InputStates;
	/** Tells every change until the returned function is called. */
	listen(onChange: (role: InputRole, active: boolean) => void): () => void;
}

const strict = { additionalProperties: false } as const;

/** A simulated contact has nothing to set. */
const contactOptions = Type.Object({}, strict);

/** Options of `simulated` inputs: which contacts the lane counts on, e.g. `contacts: { passage: {} }`. */
export const simulatedInputsOptions = Type.Object(
	{
		contacts: Type.Optional(
			Type.Object(
				// The keys are the roles of the port, so that a new role appears here by itself.
				Object.fromEntries(inputRoles.map((role) => [role, Type.Optional(contactOptions)])) as Record<
					InputRole,
					ReturnType<typeof Type.Optional<typeof contactOptions>>
				>,
				strict,
			),
		),
	},
	strict,
);

/** @see simulatedInputsOptions */
export type SimulatedInputsOptions = Static<typeof simulatedInputsOptions>;

/** Inputs without a board, for machines without hardware and for the simulator. They are never lost. */
export const simulatedInputs: Driver<
	SimulatedInputsOptions,
	InputEvents & { readonly contacts: SimulatedContacts },
	Inputs
> = {
	name: 'simulated',
	options: simulatedInputsOptions,
	async open(_options, { contacts, onChange }) {
		let open = true;
		const stop = contacts.listen((role, active) => {
			if (open) onChange(role, active);
		});
		return {
			lost: new Promise(() => {}),
			async read() {
				if (!open) throw new StilewardError('device_lost', 'the simulated inputs were closed');
				return contacts.states();
			},
			async close() {
				open = false;
				stop();
			},
		};
	},
};
