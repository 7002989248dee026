import { findDevices, isListed, isSeen, problemOf } from './bluetooth-devices.ts';
import { type Link, openLink } from './bluetooth-link.ts';
import type { Framed } from './framed-text.ts';
import { passed } from './in-time.ts';
import {
	type ScanProblem,
	type ScanSession,
	type ScanSource,
	ScanSourceError,
	type ScanSourceOptions,
} from './scan-source.ts';
import { type BluetoothTiming, nordicUart, type UartProfile, usualTiming } from './uart-profile.ts';
import type { WebBluetooth, WebBluetoothDevice } from './web-bluetooth.ts';

/** @see bluetoothSource */
export interface BluetoothOptions extends ScanSourceOptions {
	/** How the scanner speaks; Nordic's UART when absent. */
	readonly profile?: UartProfile;
	/** `always` shows the browser's list also where a scanner was allowed before: for another one. */
	readonly choose?: 'when_unknown' | 'always';
	readonly timing?: BluetoothTiming;
	/** The browser's own when absent. */
	readonly bluetooth?: WebBluetooth | undefined;
	/** Uniform in [0, 1), for the waits between attempts. */
	readonly random?: () => number;
}

/**
 * Reads a Bluetooth scanner with a serial line over the air (GATT). `start` shows the browser's list where no scanner
 * was allowed before, so a tap must have called it; without one it rejects with `bluetooth_denied`. A scanner that
 * went away is connected again until it is back, or until it is not allowed any more.
 */
export function bluetoothSource(options: BluetoothOptions = {}): ScanSource {
	return {
		kind: 'bluetooth',
		async start(onText) {
			const bluetooth = options.bluetooth ?? browserBluetooth();
			if (bluetooth === undefined) throw new ScanSourceError('not_supported');
			const { profile = nordicUart, choose = 'when_unknown', timing = usualTiming } = options;
			const devices = await findDevices(bluetooth, { profile, choose, limitMs: timing.answerMs });
			const uart = new Uart({ random: Math.random, ...options, bluetooth, profile, timing, onText });
			return uart.begin(devices);
		},
	};
}

function browserBluetooth(): WebBluetooth | undefined {
	// The cast: TypeScript's DOM has no Web Bluetooth, and neither have most browsers.
	return (navigator as { readonly bluetooth?: WebBluetooth }).bluetooth;
}

interface UartParts extends ScanSourceOptions {
	readonly bluetooth: WebBluetooth;
	readonly profile: UartProfile;
	readonly timing: BluetoothTiming;
	readonly random: () => number;
	onText(text: string): void;
}

/** A serial line to one scanner over one connection after the other. */
class Uart {
	private readonly parts: UartParts;
	private readonly lost = Promise.withResolvers<ScanProblem>();
	private readonly ended = new AbortController();
	private link: Link | undefined;
	private hasBegun = false;
	/** The browser tells which devices are allowed, this one among them: one that it tells no more is not. */
	private wasListed: boolean | undefined;

	constructor(parts: UartParts) {
		this.parts = parts;
	}

	/** Takes the first of the devices that answers. */
	async begin(devices: readonly WebBluetoothDevice[]): Promise<ScanSession> {
		let problem: unknown;
		for (const device of devices) {
			try {
				const link = await this.open(device);
				void this.keep(device, link);
				void this.list(device);
				this.hasBegun = true;
				return this.session();
			} catch (error) {
				problem = error;
			}
		}
		this.ended.abort();
		throw new ScanSourceError(problemOf(problem), { cause: problem });
	}

	private session(): ScanSession {
		const { write, verdicts } = this.parts.profile;
		const stop = () => this.ended.abort();
		const session: ScanSession = { lost: this.lost.promise, stop };
		if (write === undefined || verdicts === undefined) return session;
		return { ...session, signal: (good) => this.link?.write(good ? verdicts.good : verdicts.bad) };
	}

	private async list(device: WebBluetoothDevice): Promise<void> {
		this.wasListed = await isListed(this.parts.bluetooth, device, this.parts.timing.answerMs);
	}

	private async open(device: WebBluetoothDevice): Promise<Link> {
		try {
			return await this.connect(device);
		} catch (error) {
			// Chromium on a computer connects to nothing that it has not seen lately, as after the page was loaded.
			const isMissing = problemOf(error) === 'device_lost';
			if (!isMissing || !(await isSeen(device, this.parts.timing.connectMs, this.ended.signal))) throw error;
			return this.connect(device);
		}
	}

	private async connect(device: WebBluetoothDevice): Promise<Link> {
		const { profile, timing } = this.parts;
		const onFramed = (framed: Framed) => this.report(framed);
		this.link = await openLink({ device, profile, timing, onFramed }, this.ended.signal);
		return this.link;
	}

	private report(framed: Framed): void {
		// A code that ends before the page knows of the session, or after it stopped it within the same piece.
		if (!this.hasBegun || this.ended.signal.aborted) return;
		if (framed.kind === 'code') this.parts.onText(framed.text);
		else this.parts.onUnreadable?.();
	}

	private async keep(device: WebBluetoothDevice, first: Link): Promise<void> {
		for (let link: Link | undefined = first; link !== undefined; ) {
			await link.down;
			this.link = undefined;
			link = await this.reopen(device);
		}
	}

	private async reopen(device: WebBluetoothDevice): Promise<Link | undefined> {
		for (const waitMs of backoff(this.parts)) {
			await passed(waitMs, this.ended.signal);
			if (this.ended.signal.aborted) return undefined;
			try {
				return await this.open(device);
			} catch (error) {
				if (await this.isForbidden(device, error)) return this.lose('bluetooth_denied');
			}
		}
		return undefined;
	}

	private async isForbidden(device: WebBluetoothDevice, error: unknown): Promise<boolean> {
		if (problemOf(error) === 'bluetooth_denied') return true;
		const { bluetooth, timing } = this.parts;
		return this.wasListed === true && (await isListed(bluetooth, device, timing.answerMs)) === false;
	}

	private lose(problem: ScanProblem): undefined {
		if (this.ended.signal.aborted) return;
		this.ended.abort();
		this.lost.resolve(problem);
	}
}

/** Waits that double up to the longest, each between its half and its whole. */
function* backoff({ timing, random }: UartParts): Generator<number, never> {
	for (let wholeMs = timing.retryFirstMs; ; wholeMs = Math.min(timing.retryMaxMs, wholeMs * 2)) {
		yield wholeMs * (0.5 + random() / 2);
	}
}
