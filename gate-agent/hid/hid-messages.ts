import { type ErrorCode, StilewardError } from '../core/errors.ts';

/** What the process of a HID device is told: send this report, its id first. */
export interface ToHidProcess {
	readonly id: number;
	readonly kind: 'write' | 'feature';
	readonly hex: string;
	readonly timeoutMs: number;
}

interface Failure {
	readonly code: ErrorCode;
	readonly text: string;
}

/** What it tells. After `unopened` and `lost` it ends. */
export type FromHidProcess =
	| { readonly kind: 'ready' }
	| { readonly kind: 'report'; readonly hex: string }
	| { readonly kind: 'done'; readonly id: number }
	| ({ readonly kind: 'failed'; readonly id: number } & Failure)
	| ({ readonly kind: 'unopened' | 'lost' } & Failure);

/** An error as it goes over the channel. */
export function failureOf(error: unknown): Failure {
	if (error instanceof StilewardError) return { code: error.code, text: error.message };
	return { code: 'device_protocol', text: String(error) };
}
