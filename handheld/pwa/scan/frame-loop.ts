import type { CodeReader } from './code-reader.ts';

/** Pictures in a row that cannot be read before the decoder counts as broken: about a second. */
const failedReadsMax = 30;

/** Name of the performance measure of each picture: from its callback to its texts. For a `PerformanceObserver`. */
export const decodeMeasure = 'scan-decode';
/** Name of the measure of each picture with a code: from when it was shown to when its texts were handed on. */
export const deliveryMeasure = 'scan-delivery';

/** What a loop over the pictures of a video tells. */
export interface FrameEvents {
	/** The texts of one picture, often none. */
	onTexts(texts: readonly string[]): void;
	/** The decoder works no more; the loop has ended. */
	onBroken(): void;
}

/**
 * Reads picture after picture. The next one is asked for when the last one is read: two are never decoded at once, and
 * pictures in between are dropped, so that what is read is what is in front of the camera. Returns what stops it.
 */
export function readFrames(view: HTMLVideoElement, reader: CodeReader, events: FrameEvents): () => void {
	let stopped = false;
	let failures = 0;
	let request = 0;
	const next = () => {
		if (!stopped) request = view.requestVideoFrameCallback((nowMs, frame) => void decode(nowMs, frame));
	};
	const decode = async (nowMs: number, frame: VideoFrameCallbackMetadata) => {
		const startMs = performance.now();
		const texts = await reader.read(view).catch(() => undefined);
		if (stopped) return;
		measure(decodeMeasure, startMs);
		failures = texts === undefined ? failures + 1 : 0;
		if (failures > failedReadsMax) return events.onBroken();
		events.onTexts(texts ?? []);
		if (texts?.length) measure(deliveryMeasure, Math.min(frame.presentationTime, nowMs));
		next();
	};
	next();
	return () => {
		stopped = true;
		view.cancelVideoFrameCallback(request);
	};
}

/** The browser keeps measures for ever, and a shift has a million pictures: observers get it, then it is cleared. */
function measure(name: string, startMs: number): void {
	performance.measure(name, { start: startMs });
	performance.clearMeasures(name);
}
