import { StilewardError } from '../../gate-agent/core/errors.ts';
import { inTime } from './in-time.ts';

/** The operations of one peripheral, one at a time. */
export interface GattQueue {
	/**
	 * Runs `operation` once those before it are done. Rejects with `device_busy` where too many wait, with `device_timeout`
	 * where it takes too long, and with what `end` was given.
	 */
	run<T>(what: string, operation: () => Promise<T>, ownLimitMs?: number): Promise<T>;
	/** Refuses everything from now on. */
	end(why: StilewardError): void;
}

/** What a queue is made with. */
export interface GattQueueOptions {
	/** How long one operation may take, ms. */
	readonly limitMs: number;
	/** An operation has no answer: the protocol permits no other before it (Bluetooth Core, Vol 3, Part F, 3.3.3). */
	readonly onHang: (why: StilewardError) => void;
}

/** Operations that wait; a person scans once a second at the most. */
export const gattWaitingMax = 8;

/** Makes the queue of one peripheral. It holds nobody up but this one. */
export function createGattQueue({ limitMs, onHang }: GattQueueOptions): GattQueue {
	const ended = Promise.withResolvers<never>();
	ended.promise.catch(() => undefined);
	let why: StilewardError | undefined;
	let waiting = 0;
	let last: Promise<unknown> = Promise.resolve();
	const end = (error: StilewardError) => {
		why ??= error;
		ended.reject(why);
	};
	const perform = async <T>(what: string, operation: () => Promise<T>, ms: number): Promise<T> => {
		if (why) throw why;
		try {
			return await Promise.race([inTime(what, operation(), ms), ended.promise]);
		} catch (cause) {
			const error = cause instanceof StilewardError ? cause : refused(what, cause);
			if (error.code === 'device_timeout') {
				end(error);
				onHang(error);
			}
			throw error;
		}
	};
	return {
		run: (what, operation, ownLimitMs = limitMs) => {
			if (why) return Promise.reject(why);
			if (waiting >= gattWaitingMax) {
				return Promise.reject(new StilewardError('device_busy', `${gattWaitingMax} operations wait already`));
			}
			waiting += 1;
			const result = last
				.then(() => perform(what, operation, ownLimitMs))
				.finally(() => {
					waiting -= 1;
				});
			last = result.catch(() => undefined);
			return result;
		},
		end,
	};
}

function refused(what: string, cause: unknown): StilewardError {
	const text = cause instanceof Error ? cause.message : String(cause);
	return new StilewardError('device_protocol', `${what}: ${text}`, { cause });
}
