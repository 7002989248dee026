import { Type } from 'typebox';
import { type InputRole, inputRoles } from '../core/device.ts';

/**
 * How long a contact must be steady before it counts, ms. A passage is one short closing of the turnstile's relay;
 * a fire alarm panel closes for good, and a false alarm must not come from a spark.
 */
export const debounceDefaultsMs: Readonly<Record<InputRole, number>> = {
	passage: 20,
	reverse: 20,
	fire: 100,
	tamper: 200,
	staff_button: 40,
	emergency_reset: 100,
};

/** What every contact has, wherever it is wired to. */
export const contactRules = {
	invert: Type.Optional(Type.Boolean({ description: 'True where the contact opens when it becomes active' })),
	debounceMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 5000 })),
};

/** The contacts of a board by role, each wired as `contact` says. The keys are the roles of the port, so that a new one appears by itself. */
export function contactsSchema<Contact extends ReturnType<typeof Type.Object>>(contact: Contact) {
	return Type.Object(
		Object.fromEntries(inputRoles.map((role) => [role, Type.Optional(contact)])) as Record<
			InputRole,
			ReturnType<typeof Type.Optional<Contact>>
		>,
		{ additionalProperties: false, minProperties: 1 },
	);
}
