import { inTime } from './in-time.ts';
import { type ScanProblem, ScanSourceError } from './scan-source.ts';
import type { UartProfile } from './uart-profile.ts';
import type { WebBluetooth, WebBluetoothDevice } from './web-bluetooth.ts';

/** Scanners allowed before that are tried: a venue gives a handheld one, and another when that one broke. */
const knownMax = 4;

/** Which scanner is looked for. */
export interface DeviceSearch {
	readonly profile: UartProfile;
	readonly choose: 'when_unknown' | 'always';
	/** For what the browser knows; a person who chooses has no limit. */
	readonly limitMs: number;
}

/** Devices that were allowed before, or the one that a person chooses now. Rejects with a `ScanSourceError`. */
export async function findDevices(
	bluetooth: WebBluetooth,
	{ profile, choose, limitMs }: DeviceSearch,
): Promise<readonly WebBluetoothDevice[]> {
	const known = choose === 'always' ? [] : ((await knownDevices(bluetooth, limitMs)) ?? []);
	if (known.length > 0) return known.slice(-knownMax);
	return [await chosenDevice(bluetooth, profile, limitMs)];
}

/** Whether a device is among those that are allowed; undefined where the browser does not tell. */
export async function isListed(
	bluetooth: WebBluetooth,
	device: WebBluetoothDevice,
	limitMs: number,
): Promise<boolean | undefined> {
	const known = await knownDevices(bluetooth, limitMs);
	return known?.some(({ id }) => id === device.id);
}

async function knownDevices(
	bluetooth: WebBluetooth,
	limitMs: number,
): Promise<readonly WebBluetoothDevice[] | undefined> {
	if (bluetooth.getDevices === undefined) return undefined;
	return inTime(bluetooth.getDevices(), limitMs).catch(() => undefined);
}

async function chosenDevice(
	bluetooth: WebBluetooth,
	{ service, namePrefixes = [] }: UartProfile,
	limitMs: number,
): Promise<WebBluetoothDevice> {
	const filters = [{ services: [service] }, ...namePrefixes.map((namePrefix) => ({ namePrefix }))];
	try {
		return await bluetooth.requestDevice({ filters, optionalServices: [service] });
	} catch (cause) {
		// The browser has one name for a list that a person closed and for a radio that is off.
		const isThere = await inTime(bluetooth.getAvailability?.() ?? Promise.resolve(true), limitMs).catch(() => true);
		const isClosed = nameOf(cause) === 'NotFoundError' && isThere;
		throw new ScanSourceError(isClosed ? 'bluetooth_denied' : problemOf(cause), { cause });
	}
}

/** Waits until a device advertises itself. Answers whether it did; never where the browser does not tell. */
export async function isSeen(device: WebBluetoothDevice, limitMs: number, signal: AbortSignal): Promise<boolean> {
	if (device.watchAdvertisements === undefined) return false;
	const watched = new AbortController();
	const { promise: seen, resolve } = Promise.withResolvers<void>();
	device.addEventListener('advertisementreceived', () => resolve(), { signal: watched.signal });
	const watching = device.watchAdvertisements({ signal: watched.signal }).then(() => seen);
	const answer = await inTime(watching, limitMs, signal).then(
		() => true,
		() => false,
	);
	watched.abort();
	return answer;
}

/** What a failure of Web Bluetooth means to a person. A device that has not the service is of the wrong kind. */
export function problemOf(cause: unknown): ScanProblem {
	if (cause instanceof ScanSourceError) return cause.problem;
	return problems[nameOf(cause)] ?? 'not_supported';
}

const problems: Readonly<Record<string, ScanProblem>> = {
	NotAllowedError: 'bluetooth_denied',
	SecurityError: 'bluetooth_denied',
	NotFoundError: 'not_supported',
	NotInTimeError: 'device_lost',
	NetworkError: 'device_lost',
	InvalidStateError: 'device_lost',
	AbortError: 'device_lost',
};

function nameOf(cause: unknown): string {
	return cause instanceof Error ? cause.name : '';
}
