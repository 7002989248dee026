import type { EnrollmentLink } from '../../sync/protocol/enrollment-link.ts';
import type { GatePart } from './gate-file.ts';
import type { PulseResult } from './try-relay.ts';

/** How a gate comes by keys and rules. */
export type Joining =
	| { readonly kind: 'enroll'; readonly link: EnrollmentLink; readonly replace: boolean }
	/** The data folder belongs to a venue already. */
	| { readonly kind: 'enrolled'; readonly venue: string }
	| { readonly kind: 'keys'; readonly dir: string; readonly event: string };

/** What was tried at the gate while it was planned. Facts for the report; never a ticket. */
export interface Tried {
	/** What the scanner's driver found and set up. */
	readonly scanner: Readonly<Record<string, unknown>>;
	/** The test scan in words; absent where it was skipped. */
	readonly scan?: string;
	readonly pulse?: PulseResult;
	/** What the person by the gate said; absent where nobody was asked. */
	readonly opened?: boolean;
	/** Where each contact was found. */
	readonly contacts?: Readonly<Record<string, { readonly channel: number; readonly invert: boolean }>>;
}

/** A whole gate, before anything is written. */
export interface GatePlan {
	readonly agent: string;
	readonly mode: 'entry' | 'exit';
	readonly scanner: GatePart;
	/** With `channel` and `pulseMs`. */
	readonly relay: GatePart;
	readonly inputs?: Readonly<Record<string, unknown>>;
	readonly feedback?: Readonly<Record<string, unknown>>;
	readonly joining: Joining;
	readonly tried: Tried;
}

/** How long the relay is closed where nobody says otherwise, milliseconds. */
export const pulseMsDefault = 300;

/** The bus of a board that carries contacts as well, as its relay part names it; undefined for any other board. */
export function contactBusOf({ settings, model }: GatePart) {
	if (model?.inputs?.driver !== 'modbus-discrete') return undefined;
	const { path, baudRate = model.options.baudRate, address = model.options.address ?? 1 } = settings;
	if (typeof path !== 'string') return undefined;
	return { path, baudRate: Number(baudRate), address: Number(address), count: model.inputs.count };
}

/** The inputs part for contacts on the relay's own board. */
export function inputsOn(
	relay: GatePart,
	contacts: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | undefined {
	const bus = contactBusOf(relay);
	if (bus === undefined || Object.keys(contacts).length === 0) return undefined;
	const { path, baudRate, address } = bus;
	return { driver: 'modbus-discrete', path, baudRate, ...(address !== 1 && { address }), contacts };
}
