import { StilewardError } from '../core/errors.ts';
import { openDeviceFile } from '../ioctl/device-file.ts';

/** An open HID device in this process. Its law is that of `SerialLine`. */
export interface HidDevice {
	readonly path: string;
	readonly lost: Promise<StilewardError>;
	/** Sends an output report, its id first (0 where the device has none). Rejects with `device_timeout` or `device_lost`. */
	write(report: Uint8Array, timeoutMs: number): Promise<void>;
	/** Sends a feature report, its id first. */
	sendFeature(report: Uint8Array, timeoutMs: number): Promise<void>;
	/** Asks for a feature report of up to so many bytes. */
	readFeature(id: number, length: number, timeoutMs: number): Promise<Uint8Array>;
	close(): Promise<void>;
}

/** How often an open device is asked whether its node still exists, ms. */
const heartbeatMs = 1000;

/**
 * The longest that `close` waits: a device that hangs holds a thread of the pool, and only the end of the process frees it.
 */
const closeTimeoutMs = 500;

/**
 * Opens a HID device for one owner. `onReport` hears every input report as the kernel gave it.
 * A call that hangs keeps a thread, of which a process has four: programs with other work open devices in a process of
 * their own (`hid-link.ts`). Errors: `device_absent`, `device_denied`, `device_busy`, `library_missing`.
 */
export async function openHidDevice(path: string, onReport: (report: Uint8Array) => void): Promise<HidDevice> {
	// hidraw lets any number of programs in; the lock of its node keeps ours apart.
	const node = await openDeviceFile(path, { access: 'read_write', lock: true });
	const device = await openThrough(path).catch((error: unknown) => {
		node.close();
		throw error;
	});
	const lost = Promise.withResolvers<StilewardError>();
	let gone: StilewardError | undefined;
	let ending: Promise<void> | undefined;
	const end = () => {
		clearInterval(heart);
		ending ??= closeWithin(device).finally(() => node.close());
		return ending;
	};
	const lose = (cause: unknown) => {
		if (gone) return;
		gone = new StilewardError('device_lost', `HID device ${path} is gone`, { cause });
		lost.resolve(gone);
		void end();
	};
	const heart = setInterval(() => {
		void node.isThere().then((isThere) => isThere || lose(new Error('its node is gone')));
	}, heartbeatMs);
	// node-hid tells an unplug by an error whose argument may be a text, and only while somebody listens for data.
	device.on('error', lose);
	device.on('data', (report: Buffer) => {
		if (!gone) onReport(report);
	});
	// node-hid starts its reader in the next tick, and throws there at nobody if the device was closed before.
	await new Promise(setImmediate);
	const call = async <T>(work: () => Promise<T>, timeoutMs: number): Promise<T> => {
		if (gone) throw gone;
		const late = Promise.withResolvers<never>();
		const timer = setTimeout(
			() => late.reject(new StilewardError('device_timeout', `${path} took no report within ${timeoutMs} ms`)),
			timeoutMs,
		);
		try {
			return await Promise.race([work(), late.promise, lost.promise.then((error) => Promise.reject(error))]);
		} catch (error) {
			if (error instanceof StilewardError) throw error;
			// The kernel may refuse a report before anybody has told that the device went away.
			if (/No such device|disconnected/.test(textOf(error)) || !(await node.isThere())) {
				lose(error);
				throw await lost.promise;
			}
			throw new StilewardError('device_protocol', `${path} refused a report: ${textOf(error)}`, { cause: error });
		} finally {
			clearTimeout(timer);
		}
	};
	return {
		path,
		lost: lost.promise,
		write: (report, timeoutMs) => call(async () => void (await device.write(Buffer.from(report))), timeoutMs),
		sendFeature: (report, timeoutMs) =>
			call(async () => void (await device.sendFeatureReport(Buffer.from(report))), timeoutMs),
		readFeature: (id, length, timeoutMs) => call(() => device.getFeatureReport(id, length), timeoutMs),
		close: () => {
			gone ??= new StilewardError('device_lost', `${path} was closed`);
			return end();
		},
	};
}

type NodeHid = typeof import('node-hid');

async function openThrough(path: string) {
	const hid: NodeHid = await import('node-hid').catch((cause) => {
		throw libraryFailure(cause);
	});
	try {
		return await hid.HIDAsync.open(path);
	} catch (cause) {
		if (/lib(usb|udev)/.test(textOf(cause))) throw libraryFailure(cause);
		throw new StilewardError('device_absent', `${path} cannot be opened: ${textOf(cause)}`, { cause });
	}
}

/** node-hid loads its native part at the first use, and that needs libusb even for hidraw. */
function libraryFailure(cause: unknown): StilewardError {
	const advice = 'node-hid needs the system libraries libusb-1.0-0 and libudev1: apt-get install libusb-1.0-0 libudev1';
	return new StilewardError('library_missing', `${advice} (${textOf(cause)})`, { cause });
}

function textOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

async function closeWithin(device: { close(): Promise<void> }): Promise<void> {
	const closed = Promise.resolve(device.close()).catch(() => {});
	const late = Promise.withResolvers<void>();
	const timer = setTimeout(late.resolve, closeTimeoutMs);
	await Promise.race([closed, late.promise]);
	clearTimeout(timer);
}
