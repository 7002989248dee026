import { createFramer, type Framed } from './framed-text.ts';
import { inTime } from './in-time.ts';
import { ScanSourceError } from './scan-source.ts';
import { createSilence } from './silence.ts';
import type { BluetoothTiming, UartProfile } from './uart-profile.ts';
import type { GattCharacteristic, GattServer, GattService, WebBluetoothDevice } from './web-bluetooth.ts';

/** One connection to a scanner, from its beginning to its loss. */
export interface Link {
	/** Resolves when the connection is lost or closed. */
	readonly down: Promise<void>;
	/** Writes as soon as the write before it has ended; of several that wait, the last one. Never throws. */
	write(bytes: Uint8Array<ArrayBuffer>): void;
}

/** What a link is made of. */
export interface LinkParts {
	readonly device: WebBluetoothDevice;
	readonly profile: UartProfile;
	readonly timing: BluetoothTiming;
	onFramed(framed: Framed): void;
}

/**
 * Connects and listens until the connection breaks or `ended` aborts, which lets go of the device. Rejects with what
 * the browser says, or with `NotInTimeError`; the device is let go of then.
 */
export async function openLink(parts: LinkParts, ended: AbortSignal): Promise<Link> {
	const { device } = parts;
	// Absent where the device is allowed, but not its services.
	if (device.gatt === undefined) throw new ScanSourceError('bluetooth_denied');
	const { gatt } = device;
	const closed = new AbortController();
	const { signal } = closed;
	const close = () => {
		closed.abort();
		gatt.disconnect();
	};
	ended.addEventListener('abort', close, { signal });
	device.addEventListener('gattserverdisconnected', () => closed.abort(), { signal });
	const { promise: down, resolve } = Promise.withResolvers<void>();
	signal.addEventListener('abort', () => resolve());
	try {
		ended.throwIfAborted();
		const service = await connect(gatt, parts, { signal, ended });
		await listen(service, parts, signal);
		return { down, write: await writerOf(service, parts, { signal, onHung: close }) };
	} catch (error) {
		close();
		throw error;
	}
}

async function connect(
	gatt: GattServer,
	{ profile, timing }: LinkParts,
	{ signal, ended }: { readonly signal: AbortSignal; readonly ended: AbortSignal },
): Promise<GattService> {
	const connecting = gatt.connect().then(() => {
		// It comes too late: nobody would let go of it.
		if (ended.aborted) gatt.disconnect();
	});
	await inTime(connecting, timing.connectMs, signal);
	return inTime(gatt.getPrimaryService(profile.service), timing.answerMs, signal);
}

async function listen(service: GattService, parts: LinkParts, signal: AbortSignal): Promise<void> {
	const { profile, timing, onFramed } = parts;
	const line = await inTime(service.getCharacteristic(profile.notify), timing.answerMs, signal);
	const framer = createFramer();
	const silence = createSilence(timing.pauseMs, () => framer.pause().forEach(onFramed));
	const onValue = () => {
		const { value } = line;
		if (value === undefined) return;
		silence.heard();
		framer.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)).forEach(onFramed);
	};
	// What a link brought in part is not put together with what the next one brings.
	signal.addEventListener('abort', () => silence.clear());
	line.addEventListener('characteristicvaluechanged', onValue, { signal });
	await inTime(line.startNotifications(), timing.answerMs, signal);
}

interface Writing {
	readonly signal: AbortSignal;
	/** A write did not settle: a second one beside it fails, so that only a new connection helps. */
	readonly onHung: () => void;
}

async function writerOf(service: GattService, { profile, timing }: LinkParts, { signal, onHung }: Writing) {
	const { write, verdicts } = profile;
	if (write === undefined || verdicts === undefined) return () => {};
	const line = await inTime(service.getCharacteristic(write), timing.answerMs, signal);
	let waiting: Uint8Array<ArrayBuffer> | undefined;
	let isWriting = false;
	const writeAll = async () => {
		isWriting = true;
		while (waiting !== undefined && !signal.aborted) {
			const bytes = waiting;
			waiting = undefined;
			// A write that is refused has ended; the screen has said what it says.
			await inTime(
				writeTo(line, bytes).catch(() => {}),
				timing.answerMs,
				signal,
			);
		}
		isWriting = false;
	};
	return (bytes: Uint8Array<ArrayBuffer>) => {
		waiting = bytes;
		if (!isWriting) writeAll().catch(onHung);
	};
}

async function writeTo(line: GattCharacteristic, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
	if (line.properties.writeWithoutResponse) await line.writeValueWithoutResponse(bytes);
	else await line.writeValueWithResponse(bytes);
}
