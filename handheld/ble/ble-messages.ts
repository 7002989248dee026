import { type ErrorCode, StilewardError } from '../../gate-agent/core/errors.ts';
import type { PeerWish } from './adapter.ts';
import type { GattCharacteristic, GattPlace, Heard } from './radio.ts';

/** What the process of an adapter is told. `peer` is a number that the agent gives, for one link from `open` to `gone`. */
export type ToBleProcess =
	| { readonly kind: 'open'; readonly peer: number; readonly wish: PeerWish }
	| {
			readonly kind: 'write';
			readonly peer: number;
			readonly call: number;
			readonly at: GattPlace;
			readonly hex: string;
	  }
	| { readonly kind: 'close'; readonly peer: number }
	/** Asks whether its loop still turns. */
	| { readonly kind: 'ping' }
	| { readonly kind: 'hear'; readonly on: boolean };

/** An error as it goes over the channel. */
export interface Failure {
	readonly code: ErrorCode;
	readonly text: string;
}

/** What it tells. After `unopened` and `lost` it ends. */
export type FromBleProcess =
	| { readonly kind: 'ready' | 'pong' }
	| ({ readonly kind: 'unopened' | 'lost' } & Failure)
	| { readonly kind: 'heard'; readonly heard: Heard }
	| {
			readonly kind: 'opened';
			readonly peer: number;
			readonly address: string;
			readonly characteristics: readonly GattCharacteristic[];
	  }
	| { readonly kind: 'bytes'; readonly peer: number; readonly from: GattPlace; readonly hex: string }
	| { readonly kind: 'battery'; readonly peer: number; readonly percent: number }
	/** An `open` that failed, or the end of a link. */
	| ({ readonly kind: 'gone'; readonly peer: number } & Failure)
	| { readonly kind: 'written'; readonly call: number; readonly failure?: Failure };

/** Makes an error ready for the channel. */
export function failureOf(error: unknown): Failure {
	if (error instanceof StilewardError) return { code: error.code, text: error.message };
	return { code: 'device_protocol', text: String(error) };
}

/** The error again. */
export function errorOf({ code, text }: Failure): StilewardError {
	return new StilewardError(code, text);
}
