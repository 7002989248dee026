import { StilewardError } from '../core/errors.ts';

/**
 * The writes of one line that are on their way. Its law: each settles once, by the word of the line, by its time limit or
 * by the end, and none is handed to the line after the end.
 */
export interface PendingWrites {
	/** Hands bytes to `send`. Rejects with `device_lost` after the end or a refusal, with `device_timeout` after `timeoutMs`. */
	write(bytes: Uint8Array, timeoutMs: number, send: Send): Promise<void>;
	/** Rejects what is on its way and all that comes. */
	end(): void;
}

/** Hands bytes to the line, which calls `taken` once it has them, or cannot have them. */
export type Send = (bytes: Buffer, taken: (cause?: Error | null) => void) => void;

/** The line that is written to. */
export interface WrittenLine {
	readonly path: string;
	/** The error that says that the line is gone. */
	readonly gone: (cause?: unknown) => StilewardError;
	/** Called after a time limit: a late command must never leave, so the line must end. */
	readonly onStall: (timeout: StilewardError) => void;
}

/** Keeps account of the writes of one line: serialport never settles one after an unplug or on a stalled line, a socket may not. */
export function createPendingWrites({ path, gone, onStall }: WrittenLine): PendingWrites {
	const pending = new Set<(error: StilewardError) => void>();
	let isOver = false;
	return {
		write(bytes, timeoutMs, send) {
			if (isOver) return Promise.reject(gone());
			return new Promise((resolve, reject) => {
				const settle = (outcome: () => void) => {
					clearTimeout(timer);
					pending.delete(fail);
					outcome();
				};
				const fail = (error: StilewardError) => settle(() => reject(error));
				const timer = setTimeout(() => {
					const timeout = new StilewardError('device_timeout', `${path} took no bytes within ${timeoutMs} ms`);
					fail(timeout);
					onStall(timeout);
				}, timeoutMs);
				pending.add(fail);
				// The bytes are copied: the caller may reuse its buffer while the write waits.
				send(Buffer.from(bytes), (cause) => (cause ? fail(gone(cause)) : settle(resolve)));
			});
		},
		end() {
			isOver = true;
			for (const fail of pending) fail(gone());
		},
	};
}
