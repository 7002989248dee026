import { setTimeout as delay } from 'node:timers/promises';
import { StilewardError } from '../core/errors.ts';
import { type GrowGmLink, openGrowGmLink } from './grow-gm-link.ts';
import {
	baudDivisors,
	type GrowGmMap,
	gateSettings,
	provisionedBaudRate,
	type ZoneSetting,
	zones,
} from './grow-gm-zones.ts';

/** How a module is found and set up. */
export interface GrowGmSetup {
	readonly path: string;
	readonly zoneMap: GrowGmMap;
	readonly sameCodeDelayMs: number;
	readonly provision: 'off' | 'check' | 'apply';
}

/** A module that answers, and what was found about it. */
export interface FoundModule {
	readonly link: GrowGmLink;
	readonly baudRate: number;
	/** Hardware and software version, as the module numbers them: 105 is 1.05. */
	readonly versions: { readonly hardware: number; readonly software: number };
	/** Names of the settings that were not as a gate needs them. */
	readonly differing: readonly string[];
}

/** How often a module is asked at each speed: the first question may end a half command of a probe at another speed. */
const probesPerBaudRate = 2;
/** A module needs this long to change its speed. */
const baudSwitchMs = 100;

/**
 * Finds the module at one of its speeds, compares its settings and, where asked, corrects them. Flash is written only
 * when something differed, because it wears.
 * Errors: those of `openSerialPort`; `device_timeout` when no speed is answered; `device_protocol` when a setting
 * does not stay.
 */
export async function setUpGrowGm(setup: GrowGmSetup, onText: (bytes: Uint8Array) => void): Promise<FoundModule> {
	const speeds = baudDivisors.map(([baudRate]) => baudRate);
	const found = await probe(setup.path, speeds, onText);
	try {
		const versions = { hardware: await found.link.read(zones.hardware, 1), software: found.software };
		const wanted = setup.provision === 'off' ? [] : settingsOf(setup);
		const differing = await differences(found.link, wanted);
		const names = differing.map(({ name }) => name);
		const isChanged = setup.provision === 'apply' && differing.length > 0;
		const at = isChanged ? await apply({ ...setup, found, changes: differing }, onText) : found;
		return { link: at.link, baudRate: at.baudRate, versions, differing: names };
	} catch (error) {
		await found.link.close();
		throw error;
	}
}

interface Probed {
	readonly link: GrowGmLink;
	readonly baudRate: number;
	readonly software: number;
}

async function probe(path: string, speeds: readonly number[], onText: (bytes: Uint8Array) => void): Promise<Probed> {
	for (const baudRate of speeds) {
		const link = await openGrowGmLink({ path, baudRate }, onText);
		for (let i = 0; i < probesPerBaudRate; i += 1) {
			const software = await link.read(zones.software, 1).catch((error) => unlessSilent(link, error));
			if (software !== undefined) return { link, baudRate, software };
		}
		await link.close();
	}
	throw new StilewardError('device_timeout', `no Grow module answers on ${path} at ${speeds.join(', ')} baud`);
}

async function unlessSilent(link: GrowGmLink, error: StilewardError): Promise<undefined> {
	if (error.code === 'device_timeout') return undefined;
	await link.close();
	throw error;
}

/** The speed comes last: everything before it is said at the speed that is known to work. */
function settingsOf({ zoneMap, sameCodeDelayMs }: GrowGmSetup): readonly ZoneSetting[] {
	const divisor = baudDivisors.find(([baudRate]) => baudRate === provisionedBaudRate)?.[1] ?? 0;
	const speed: ZoneSetting = { name: 'baud rate', zone: zones.baudRate, bytes: 2, mask: 0xffff, value: divisor };
	return [...gateSettings(zoneMap, sameCodeDelayMs), speed];
}

/** A setting with what its zone must hold, the bits of others kept. */
type Difference = ZoneSetting & { readonly whole: number };

async function differences(link: GrowGmLink, wanted: readonly ZoneSetting[]): Promise<readonly Difference[]> {
	const found: Difference[] = [];
	for (const setting of wanted) {
		const now = await link.read(setting.zone, setting.bytes);
		const whole = (now & ~setting.mask) | setting.value;
		if (whole !== now) found.push({ ...setting, whole });
	}
	return found;
}

async function apply(
	{ found, changes, ...setup }: GrowGmSetup & { readonly found: Probed; readonly changes: readonly Difference[] },
	onText: (bytes: Uint8Array) => void,
): Promise<Probed> {
	const { link, baudRate } = found;
	let at = found;
	for (const { zone, bytes, whole } of changes) {
		if (zone !== zones.baudRate) await link.write(zone, bytes, whole);
		else {
			await link.tell(zone, bytes, whole);
			await delay(baudSwitchMs);
			await link.close();
			// A module with a USB port of its own answers at any speed, another one at the new speed only.
			at = await probe(setup.path, [provisionedBaudRate, baudRate], onText);
		}
	}
	try {
		const left = await differences(at.link, settingsOf(setup));
		if (left.length > 0) {
			const names = left.map(({ name }) => name).join(', ');
			throw new StilewardError('device_protocol', `${setup.path} does not keep: ${names}`);
		}
		await at.link.save();
		return at;
	} catch (error) {
		await at.link.close();
		throw error;
	}
}
