import { setTimeout as sleep } from 'node:timers/promises';
import type { Device } from './core/device.ts';
import { StilewardError } from './core/errors.ts';
import { within } from './within.ts';

/** Where a supervised device stands. `degraded` is a device that cannot be opened for another reason than absence. */
export type DeviceState =
	| { readonly kind: 'opening' }
	| { readonly kind: 'ready' }
	| { readonly kind: 'absent'; readonly error: StilewardError }
	| { readonly kind: 'degraded'; readonly error: StilewardError }
	| { readonly kind: 'closed' };

/** A device that is opened again whenever it is lost. */
export interface Supervised<D extends Device> {
	readonly name: string;
	/** The open device, or undefined while there is none. */
	readonly device: D | undefined;
	readonly state: DeviceState;
	close(): Promise<void>;
}

/** What a supervisor needs to know of one device. */
export interface Supervision<D extends Device> {
	readonly name: string;
	readonly open: () => Promise<D>;
	/** Runs before the device counts as ready, e.g. to switch coils off. A rejection closes it and tries again. */
	readonly prepare?: (device: D) => Promise<void>;
	readonly onState: (state: DeviceState) => void;
	/** 0 … 1, for the jitter of the backoff. */
	readonly random: () => number;
	/** Resolves when something was plugged in: the next attempt is made at once. Absent: by the clock alone. */
	readonly plugged?: () => Promise<void>;
}

/** The first attempt after a loss comes after about this long, so that a re-plug is served at once. */
export const backoffMinMs = 200;

/**
 * The longest wait between two attempts. An attempt on an absent path costs one failed `open`, so that 2 s is cheap,
 * and a device that is plugged in again works within 5 s whatever the jitter.
 */
export const backoffMaxMs = 2_000;

/** An `open` or `prepare` that takes longer than this counts as failed. */
const openTimeoutMs = 10_000;

/** How long `close` waits for an `open` that is under way; one that hangs is left to its own timeout. */
const closeOpeningMs = 1_000;

/** Delays between attempts: doubling from 0.2 to 2 s, each between half and all of it, so that lanes do not march in step. */
export function* backoff(random: () => number): Generator<number, never> {
	for (let ms = backoffMinMs; ; ms = Math.min(ms * 2, backoffMaxMs)) yield ms * (0.5 + random() / 2);
}

/**
 * Opens a device and keeps it open: absent → opening → ready → (lost) → opening … until `close`. Never rejects: what
 * goes wrong is told through `onState`.
 */
export function supervise<D extends Device>(supervision: Supervision<D>): Supervised<D> {
	const stop = Promise.withResolvers<'stop'>();
	const self: Slot<D> = { device: undefined, state: { kind: 'opening' } };
	const finished = keepOpen(supervision, self, stop.promise);
	return {
		name: supervision.name,
		get device() {
			return self.device;
		},
		get state() {
			return self.state;
		},
		close: () => {
			stop.resolve('stop');
			return finished;
		},
	};
}

interface Slot<D> {
	device: D | undefined;
	state: DeviceState;
}

async function keepOpen<D extends Device>(
	supervision: Supervision<D>,
	self: Slot<D>,
	stop: Promise<'stop'>,
): Promise<void> {
	const become = (state: DeviceState) => {
		const before = self.state;
		self.state = state;
		if (before.kind !== state.kind || message(before) !== message(state)) supervision.onState(state);
	};
	let delays = backoff(supervision.random);
	for (;;) {
		const opening = attempt(supervision);
		if ((await Promise.race([opening, stop])) === 'stop') {
			await within(opening.then(closeLate), closeOpeningMs);
			break;
		}
		const opened = await opening;
		if (opened instanceof StilewardError) {
			become({ kind: opened.code === 'device_absent' ? 'absent' : 'degraded', error: opened });
		} else {
			self.device = opened;
			become({ kind: 'ready' });
			delays = backoff(supervision.random);
			const lost = await Promise.race([opened.lost, stop]);
			self.device = undefined;
			if (lost !== 'stop') become({ kind: 'absent', error: lost });
			await opened.close();
		}
		const why = await restUntil(delays.next().value, stop, supervision.plugged);
		if (why === 'stop') break;
		if (why === 'plugged') delays = backoff(supervision.random);
	}
	become({ kind: 'closed' });
}

/** What was opened after it was no longer wanted. */
async function closeLate(opened: Device | StilewardError): Promise<void> {
	if (!(opened instanceof StilewardError)) await opened.close();
}

async function restUntil(
	ms: number,
	stop: Promise<'stop'>,
	plugged: Supervision<Device>['plugged'],
): Promise<'stop' | 'waited' | 'plugged'> {
	const timer = new AbortController();
	const waited = sleep(ms, 'waited' as const, { signal: timer.signal }).catch(() => 'waited' as const);
	const isPlugged = plugged ? [plugged().then(() => 'plugged' as const)] : [];
	const first = await Promise.race([stop, waited, ...isPlugged]);
	timer.abort();
	return first;
}

function message(state: DeviceState): string {
	return 'error' in state ? state.error.message : '';
}

/** Opens and prepares once. A driver that rejects with something else than a `StilewardError` has a bug: it passes on. */
async function attempt<D extends Device>({ name, open, prepare }: Supervision<D>): Promise<D | StilewardError> {
	let device: D | undefined;
	const timer = new AbortController();
	const opening = open().then(async (opened) => {
		device = opened;
		await prepare?.(opened);
		return opened;
	});
	try {
		return await Promise.race([opening, tooLong(name, timer.signal)]);
	} catch (error) {
		if (device) await device.close();
		else void opening.then((late) => late.close()).catch(() => undefined);
		if (error instanceof StilewardError) return error;
		throw error;
	} finally {
		timer.abort();
	}
}

async function tooLong(name: string, signal: AbortSignal): Promise<never> {
	await sleep(openTimeoutMs, undefined, { signal }).catch(() => undefined);
	throw new StilewardError('device_timeout', `${name} could not be opened within ${openTimeoutMs / 1000} s`);
}
