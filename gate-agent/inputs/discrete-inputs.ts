import { type Static, Type } from 'typebox';
import {
	type DriverIo,
	type InputEvents,
	type InputRole,
	type InputStates,
	type Inputs,
	inputRoles,
} from '../core/device.ts';
import { StilewardError } from '../core/errors.ts';
import type { ModbusBus } from '../serial/modbus-bus.ts';
import { waveshareBoardSchema } from '../serial/modbus-schema.ts';
import { contactRules, contactsSchema, debounceDefaultsMs } from './contacts.ts';
import { type Contact, missSample, sampleContact } from './debounce.ts';

const contact = Type.Object(
	{ channel: Type.Integer({ minimum: 1, maximum: 64 }), ...contactRules },
	{ additionalProperties: false },
);

/** The options of polled contacts as a driver's schema spreads them. */
export const discreteSchema = {
	...waveshareBoardSchema,
	pollMs: Type.Optional(Type.Integer({ minimum: 20, maximum: 1000, default: 30 })),
	passageContactMs: Type.Optional(
		Type.Integer({
			minimum: 50,
			maximum: 5000,
			default: 250,
			description:
				'How long the turnstile closes its passage contact at least; after a longer pause in reading a visitor is assumed to have passed.',
		}),
	),
	contacts: contactsSchema(contact),
};

const options = Type.Object(discreteSchema);

/** Which inputs of which board. */
export type DiscreteOptions = Static<typeof options>;

/** One poll is 15 ms of bytes at 9600 baud; the board answers within 20 ms, a USB adapter adds 16. */
const pollTimeoutMs = 100;
/** Polls in a row without an answer that mean a lost board. */
const missesMax = 5;

/**
 * Discrete inputs of a Modbus board (function 02), polled on the bus that they share with its relays; `acquire` takes a share
 * of it. The board's inputs must not drive its relays themselves (Waveshare: holding registers 1000… "normal").
 */
export async function openDiscreteInputs(
	acquire: () => Promise<ModbusBus>,
	{ address = 1, channels = 8, pollMs = 30, passageContactMs = 250, contacts }: DiscreteOptions,
	io: DriverIo & InputEvents,
): Promise<Inputs> {
	const wiring = wiringOf(contacts, channels);
	const bus = await acquire();
	const sample = () =>
		bus.ask({
			unit: address,
			tries: 1,
			timeoutMs: pollTimeoutMs,
			request: { kind: 'read_inputs', start: 0, count: channels },
		});
	try {
		const first = await sample().catch(sample);
		return createInputs({
			...{ bus, wiring, sample, first, pollMs, nowMs: io.nowMs, onChange: io.onChange },
			onUnseen: io.onUnseen ?? (() => {}),
			unseenMs: unseenMsOf(passageContactMs, pollMs),
		});
	} catch (error) {
		await bus.close();
		throw error;
	}
}

/**
 * A pause between two samples in which a passage contact may have closed and opened unseen, on a busy host or a
 * disturbed line. A contact that is shorter than two polls is missed without any pause: then only longer ones count.
 */
function unseenMsOf(passageContactMs: number, pollMs: number): number {
	return Math.max(passageContactMs - debounceDefaultsMs.passage, 2 * pollMs);
}

interface Wire {
	readonly role: InputRole;
	readonly channel: number;
	readonly invert: boolean;
	readonly debounceMs: number;
}

function wiringOf(contacts: DiscreteOptions['contacts'], channels: number): readonly Wire[] {
	return inputRoles.flatMap((role) => {
		const contact = contacts[role];
		if (contact === undefined) return [];
		const { channel, invert = false, debounceMs = debounceDefaultsMs[role] } = contact;
		if (channel <= channels) return [{ role, channel, invert, debounceMs }];
		throw new StilewardError('config_invalid', `the board has no input ${channel} for ${role}, only 1…${channels}`);
	});
}

interface Parts {
	readonly bus: ModbusBus;
	readonly wiring: readonly Wire[];
	readonly sample: () => Promise<readonly boolean[]>;
	readonly first: readonly boolean[];
	readonly pollMs: number;
	readonly nowMs: () => number;
	readonly onChange: InputEvents['onChange'];
	readonly onUnseen: NonNullable<InputEvents['onUnseen']>;
	readonly unseenMs: number;
}

function createInputs({ bus, wiring, sample, first, pollMs, nowMs, onChange, onUnseen, unseenMs }: Parts): Inputs {
	const isActive = (wire: Wire, bits: readonly boolean[]) => bits[wire.channel - 1] !== wire.invert;
	const contacts = new Map<InputRole, Contact>(wiring.map((wire) => [wire.role, { active: isActive(wire, first) }]));
	const lost = Promise.withResolvers<StilewardError>();
	let gone: StilewardError | undefined;
	let closing: Promise<void> | undefined;
	let misses = 0;
	let sampledMs = nowMs();
	let timer: NodeJS.Timeout | undefined;

	const lose = (error: StilewardError) => {
		if (gone) return;
		gone = error;
		clearTimeout(timer);
		lost.resolve(error);
	};
	const take = (bits: readonly boolean[]) => {
		const atMs = nowMs();
		if (atMs - sampledMs > unseenMs) onUnseen();
		sampledMs = atMs;
		for (const wire of wiring) {
			const before = contacts.get(wire.role) ?? { active: false };
			const after = sampleContact(before, { active: isActive(wire, bits), atMs }, wire.debounceMs);
			contacts.set(wire.role, after);
			// `onChange` may close the device: what follows is delivered to nobody.
			if (after.active !== before.active && !gone) onChange(wire.role, after.active);
		}
	};
	const poll = async () => {
		try {
			const bits = await sample();
			misses = 0;
			if (!gone) take(bits);
		} catch (cause) {
			for (const [role, contact] of contacts) contacts.set(role, missSample(contact));
			if (++misses >= missesMax) {
				lose(new StilewardError('device_lost', `the inputs at ${bus.path} no longer answer`, { cause }));
			}
			throw cause;
		}
	};
	const next = () => {
		if (gone) return;
		const startedAtMs = nowMs();
		const again = () => {
			if (!gone) timer = setTimeout(next, Math.max(1, startedAtMs + pollMs - nowMs()));
		};
		poll().then(again, again);
	};
	void bus.lost.then(lose);
	timer = setTimeout(next, pollMs);

	return {
		lost: lost.promise,
		/** The settled states after one more sample, so that they and the changes delivered never contradict. */
		async read() {
			if (gone) throw gone;
			await poll();
			return Object.fromEntries([...contacts].map(([role, { active }]) => [role, active])) as InputStates;
		},
		close() {
			gone ??= new StilewardError('device_lost', `${bus.path} was closed`);
			clearTimeout(timer);
			closing ??= bus.close();
			return closing;
		},
	};
}
