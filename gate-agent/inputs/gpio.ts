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
import { openDeviceFile } from '../ioctl/device-file.ts';
import { readEvents } from '../ioctl/event-reader.ts';
import {
	edgeBytes,
	edgeOf,
	findGpioChip,
	type GpioChip,
	type GpioLines,
	type GpioRequest,
	offsetsOf,
	requestLines,
} from '../ioctl/gpio.ts';
import { contactRules, contactsSchema, debounceDefaultsMs } from './contacts.ts';

const contact = Type.Object(
	{
		line: Type.Union([Type.Integer({ minimum: 0, maximum: 1_023 }), Type.String({ minLength: 1, maxLength: 32 })], {
			description: 'Offset or name of the line.',
		}),
		bias: Type.Optional(
			Type.Enum(['pull_up', 'pull_down', 'disabled'], {
				description: 'Resistor of the chip itself, where it has one.',
			}),
		),
		...contactRules,
	},
	{ additionalProperties: false },
);

/** Options of `gpio` as inputs. */
export const gpioInputsOptions = Type.Object(
	{
		chip: Type.String({ minLength: 1, description: 'Label of the GPIO chip, as gpiodetect shows it, or its path.' }),
		contacts: contactsSchema(contact),
	},
	{ additionalProperties: false },
);

/** @see gpioInputsOptions */
export type GpioInputsOptions = Static<typeof gpioInputsOptions>;

/** How often the chip is asked whether it is still there, ms. */
const heartbeatMs = 500;

/** One contact on its line. */
interface Wire {
	readonly role: InputRole;
	readonly invert: boolean;
	readonly lines: GpioLines;
}

/**
 * Contacts on lines of a GPIO chip. The kernel debounces them and tells their edges, so that nothing is polled and no short
 * passage is missed; where its queue ran over the levels are read anew, and `onUnseen` is told.
 */
export const gpioInputs: Driver<GpioInputsOptions, InputEvents, Inputs> = {
	name: 'gpio',
	options: gpioInputsOptions,
	async open({ chip: name, contacts }, io) {
		const chip = await findGpioChip(name);
		const opened: OpenContact[] = [];
		const lost = Promise.withResolvers<StilewardError>();
		const states = new Map<InputRole, boolean>();
		let gone: StilewardError | undefined;
		let closing: Promise<void> | undefined;
		const node = await openDeviceFile(chip.path, { access: 'read', lock: false });
		const end = (reason: StilewardError) => {
			gone ??= reason;
			clearInterval(heart);
			closing ??= Promise.all(opened.map(({ stop }) => stop())).then(() => node.close());
			return closing;
		};
		const lose = (why: string) => {
			if (gone) return;
			const error = new StilewardError('device_lost', `the GPIO chip ${name} is gone (${why})`);
			void end(error).then(() => lost.resolve(error));
		};
		/** `onChange` may close the device: what follows is delivered to nobody. */
		const become = (role: InputRole, active: boolean) => {
			if (states.get(role) === active || gone) return;
			states.set(role, active);
			io.onChange(role, active);
		};
		const look = async (wire: Wire) => become(wire.role, await levelOf(wire));
		const heart = setInterval(
			() => void node.isThere().then((isThere) => isThere || lose('its node is gone')),
			heartbeatMs,
		);
		const wireUp = { chip, become, look, lose, onUnseen: io.onUnseen ?? (() => {}) };
		try {
			for (const role of inputRoles) {
				const wired = contacts[role];
				if (wired === undefined) continue;
				const contact = await openContact(role, wired, wireUp);
				opened.push(contact);
				// After its reader is there: an edge that comes now is told, and says the same.
				const level = await levelOf(contact.wire);
				if (!states.has(role)) states.set(role, level);
			}
		} catch (error) {
			await end(new StilewardError('device_lost', `${name} was not opened`));
			throw error;
		}
		return {
			lost: lost.promise,
			/**
			 * The levels now; what changed since the last edge is told first, so that the two never contradict. A contact that
			 * this program debounces is what it was told to be: a spark that is read now would be taken back without a word.
			 */
			async read() {
				if (gone) throw gone;
				for (const { wire, restMs } of opened) if (restMs === 0) await look(wire);
				return Object.fromEntries(states) as InputStates;
			},
			close: () => end(new StilewardError('device_lost', `${name} was closed`)),
		};
	},
};

async function levelOf({ invert, lines }: Wire): Promise<boolean> {
	return ((await lines.read())[0] ?? false) !== invert;
}

/** A contact whose edges are read. */
interface OpenContact {
	readonly wire: Wire;
	/** How long this program lets it rest; 0 where the kernel debounces it. */
	readonly restMs: number;
	readonly stop: () => Promise<void>;
}

interface Wiring {
	readonly chip: GpioChip;
	readonly become: (role: InputRole, active: boolean) => void;
	/** Reads the level anew. */
	readonly look: (wire: Wire) => Promise<void>;
	readonly lose: (why: string) => void;
	readonly onUnseen: () => void;
}

async function openContact(
	role: InputRole,
	{ line, bias, invert = false, debounceMs = debounceDefaultsMs[role] }: Static<typeof contact>,
	{ chip, become, look, lose, onUnseen }: Wiring,
): Promise<OpenContact> {
	const request = { chip: chip.path, offsets: offsetsOf(chip, [line]), ...(bias && { bias }) };
	const { lines, restMs } = await takeLine(request, debounceMs);
	const wire: Wire = { role, invert, lines };
	const rest = createRest(restMs, (active) => become(role, active));
	let seqno = 0;
	const onRecord = (record: Uint8Array) => {
		const edge = edgeOf(record);
		const isNext = edge.seqno <= seqno + 1;
		seqno = edge.seqno;
		if (isNext) return rest.take(edge.rising !== invert);
		// The kernel's queue ran over: what rests now may be older than what is read.
		rest.stop();
		onUnseen();
		look(wire).catch((error: StilewardError) => lose(error.message));
	};
	const reader = await readEvents(lines.fd, edgeBytes, onRecord).catch((error: unknown) => {
		lines.close();
		throw error;
	});
	void reader.ended.then(lose);
	const stop = () => {
		rest.stop();
		return reader.stop().then(lines.close);
	};
	return { wire, restMs, stop };
}

/**
 * Takes a line whose contact the kernel debounces. Chips that sleep when they are asked (on USB, I²C) cannot be debounced by
 * the kernel: then `restMs` says how long this program waits.
 */
async function takeLine(
	request: Omit<GpioRequest, 'direction'>,
	debounceMs: number,
): Promise<{ readonly lines: GpioLines; readonly restMs: number }> {
	try {
		const lines = await requestLines({ ...request, direction: 'input', debounceUs: debounceMs * 1000 });
		return { lines, restMs: 0 };
	} catch (error) {
		if (!(error instanceof StilewardError) || error.code !== 'config_invalid' || debounceMs === 0) throw error;
		return { lines: await requestLines({ ...request, direction: 'input' }), restMs: debounceMs };
	}
}

/** Tells a level once it has rested for so long. */
function createRest(restMs: number, tell: (active: boolean) => void) {
	let timer: NodeJS.Timeout | undefined;
	return {
		take: (active: boolean) => {
			clearTimeout(timer);
			if (restMs === 0) tell(active);
			else timer = setTimeout(() => tell(active), restMs);
		},
		stop: () => clearTimeout(timer),
	};
}
