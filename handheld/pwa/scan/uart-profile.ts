/** How a scanner speaks over the air. UUIDs in lower case. */
export interface UartProfile {
	readonly service: string;
	/** The characteristic that tells what was scanned. */
	readonly notify: string;
	/** The characteristic that takes `verdicts`. */
	readonly write?: string;
	/** Beginnings of names of scanners that do not advertise their service: the browser's list shows those too. */
	readonly namePrefixes?: readonly string[];
	/** What makes the scanner show a verdict, at most 20 bytes each: more does not fit into a write of every radio. */
	readonly verdicts?: { readonly good: Uint8Array<ArrayBuffer>; readonly bad: Uint8Array<ArrayBuffer> };
}

/** Nordic's UART service, which most scanners with a serial line over the air have. */
export const nordicUart: UartProfile = {
	service: '6e400001-b5a3-f393-e0a9-e50e24dcca9e',
	notify: '6e400003-b5a3-f393-e0a9-e50e24dcca9e',
	write: '6e400002-b5a3-f393-e0a9-e50e24dcca9e',
};

/** How long things of the air may take. */
export interface BluetoothTiming {
	/** For a device to connect. */
	readonly connectMs: number;
	/** For every other answer of it. */
	readonly answerMs: number;
	/** Silence that ends a code of a scanner without a suffix. */
	readonly pauseMs: number;
	/** First and longest wait before it is connected again. */
	readonly retryFirstMs: number;
	readonly retryMaxMs: number;
}

/** What fits real scanners: a slow phone gives 20 bytes every 100 ms, and Android connects within seconds. */
export const usualTiming: BluetoothTiming = {
	connectMs: 10_000,
	answerMs: 5_000,
	pauseMs: 250,
	retryFirstMs: 200,
	retryMaxMs: 5_000,
};
