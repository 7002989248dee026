import { realpath } from 'node:fs/promises';
import { endianness } from 'node:os';
import Type, { type Static } from 'typebox';
import type { Driver, DriverIo, Scanner, ScannerEvents } from '../core/device.ts';
import { StilewardError } from '../core/errors.ts';
import { type DeviceFile, openDeviceFile } from '../ioctl/device-file.ts';
import { type EventReader, readEvents } from '../ioctl/event-reader.ts';
import { errno, loadLibc, SystemCallError } from '../ioctl/libc.ts';
import { chooseNode } from '../nodes/choose-node.ts';
import { listInputEvents } from '../nodes/input-events.ts';
import { nodeSchema } from '../nodes/node-schema.ts';
import { endKeys, expireKeys, feedKey, type InputEvent, keyboardStart } from './keyboard-scan.ts';
import { itself, type ScanReader, scanReader } from './scan-reader.ts';

const { device, ...place } = nodeSchema();

const schema = Type.Object(
	{
		device,
		...place,
		suffix: Type.Optional(
			Type.Enum(['enter', 'tab', 'none'], {
				default: 'enter',
				description: 'What the scanner types behind each code; none: silence ends a code.',
			}),
		),
		aim: Type.Optional(
			Type.Enum(['strip', 'keep'], {
				default: 'strip',
				description: 'What to do with an AIM identifier in front of a code.',
			}),
		),
		idleTimeoutMs: Type.Optional(
			Type.Integer({
				minimum: 20,
				maximum: 10_000,
				description:
					'Silence that ends a code (suffix none; 100 when absent) or drops a half one (else; 500), in milliseconds.',
			}),
		),
	},
	{ additionalProperties: false, description: 'A USB scanner that types like a keyboard; set it to the US layout.' },
);

/** Options of `hidKeyboard`. */
export type HidKeyboardOptions = Static<typeof schema>;

/** `EVIOCGRAB` (include/uapi/linux/input.h): what the device says is for this program alone. */
const EVIOCGRAB = 0x40044590;

/** `struct input_event` on machines of 64 bits: 16 bytes of time, then type, code and value. */
const eventBytes = 24;
const timeBytes = 16;

const heartbeatMs = 1_000;

/**
 * A scanner that types what it reads (keyboard wedge), read from the kernel's evdev and grabbed, so that no console gets what
 * visitors show. It opens what the configuration names by vendor and product or by its path, and never another keyboard.
 * Slow and lossy for long codes: HID POS or a serial port is better where the scanner has it.
 */
export const hidKeyboard: Driver<HidKeyboardOptions, ScannerEvents, Scanner> = {
	name: 'hid-keyboard',
	options: schema,
	async open(options, io) {
		const path = await findKeyboard(options);
		const file = await openDeviceFile(path, { access: 'read', lock: false });
		const typing = typingReader(options, io);
		const events = await grabAndRead(file, (record) => typing.push(eventOf(record))).catch((error: unknown) => {
			file.close();
			throw error;
		});
		const lost = Promise.withResolvers<StilewardError>();
		let ending: Promise<void> | undefined;
		const end = () => {
			clearInterval(heart);
			typing.stop();
			ending ??= events.stop().then(() => file.close());
			return ending;
		};
		const lose = (why: string) => {
			if (ending) return;
			void end().then(() => lost.resolve(new StilewardError('device_lost', `${path} is gone (${why})`)));
		};
		const heart = setInterval(() => {
			void file.isThere().then((isThere) => isThere || lose('its node is gone'));
		}, heartbeatMs);
		void events.ended.then(lose);
		return { lost: lost.promise, close: end };
	},
};

async function findKeyboard({ path, device: id, serial, port }: HidKeyboardOptions): Promise<string> {
	if (path !== undefined) return realpath(path).catch(() => path);
	if (id === undefined) {
		throw new StilewardError(
			'config_invalid',
			'a scanner that types needs `device` (vendor:product) or `path`: no keyboard is guessed',
		);
	}
	const keyboards = (await listInputEvents()).filter(({ isKeyboard }) => isKeyboard);
	const choice = { device: id, ...(serial !== undefined && { serial }), ...(port !== undefined && { port }) };
	return chooseNode(keyboards, choice, 'typing scanner').path;
}

async function grabAndRead(file: DeviceFile, onRecord: (record: Uint8Array) => void): Promise<EventReader> {
	await grab(file);
	return readEvents(file.fd, eventBytes, onRecord);
}

async function grab({ fd, path }: DeviceFile): Promise<void> {
	const libc = await loadLibc();
	try {
		libc.ioctl(fd, EVIOCGRAB, 1);
	} catch (cause) {
		if (!(cause instanceof SystemCallError)) throw cause;
		if (cause.errno === errno.EBUSY) {
			throw new StilewardError('device_busy', `another program has grabbed ${path}`, { cause });
		}
		if (cause.errno === errno.ENODEV) throw new StilewardError('device_absent', `${path} is gone`, { cause });
		throw new StilewardError('device_absent', `${path} is no input device`, { cause });
	}
}

function eventOf(record: Uint8Array): InputEvent {
	const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
	const isLittle = endianness() === 'LE';
	return {
		type: view.getUint16(timeBytes, isLittle),
		code: view.getUint16(timeBytes + 2, isLittle),
		value: view.getInt32(timeBytes + 4, isLittle),
	};
}

/** Puts keys together to scans. */
function typingReader(
	{ suffix = 'enter', aim = 'strip', idleTimeoutMs }: HidKeyboardOptions,
	io: DriverIo & ScannerEvents,
): ScanReader<InputEvent> {
	return scanReader(
		{
			start: keyboardStart,
			feed: (state, event: InputEvent) => feedKey(state, event, suffix),
			expire: suffix === 'none' ? endKeys : expireKeys,
			awaitsMore: ({ text, spoiled }) => text !== '' || spoiled,
			...{ frameOf: itself, silenceMs: idleTimeoutMs ?? (suffix === 'none' ? 100 : 500), aim },
		},
		io,
	);
}
