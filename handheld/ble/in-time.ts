import { StilewardError } from '../../gate-agent/core/errors.ts';

/** Gives what `work` gives, or rejects with `device_timeout` after `ms`; what comes later is dropped. */
export async function inTime<T>(what: string, work: Promise<T>, ms: number): Promise<T> {
	const late = Promise.withResolvers<never>();
	const timer = setTimeout(
		() => late.reject(new StilewardError('device_timeout', `${what} took longer than ${ms / 1000} s`)),
		ms,
	);
	try {
		return await Promise.race([work, late.promise]);
	} finally {
		clearTimeout(timer);
	}
}

/** Waits for `work` to settle, but not longer than `ms`. Never rejects. */
export async function atMost(work: Promise<unknown>, ms: number): Promise<void> {
	await inTime('it', work, ms).catch(() => undefined);
}
