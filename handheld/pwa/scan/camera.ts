import { scanBytesMax } from '../../../gate-agent/core/scan.ts';
import { controlsOf, openCamera, trackOf } from './camera-stream.ts';
import { type CodeReader, openCodeReader } from './code-reader.ts';
import { readFrames } from './frame-loop.ts';
import { createHoldOff } from './hold-off.ts';
import { passed } from './in-time.ts';
import {
	type ScanProblem,
	type ScanSession,
	type ScanSource,
	ScanSourceError,
	type ScanSourceOptions,
} from './scan-source.ts';

/** Attempts to open a camera that went away, before it counts as lost. */
const reopenMax = 5;
/** Pause between two of them: another program that took the camera lets go of it within seconds. */
const reopenMs = 1000;

/** @see cameraSource */
export interface CameraOptions extends ScanSourceOptions {
	/** Where the page's own origin serves `zxing_reader.wasm`. */
	readonly wasmUrl: string;
}

/** Reads QR codes with the camera of the handheld. */
export function cameraSource({ wasmUrl, ...options }: CameraOptions): ScanSource {
	let reader: Promise<CodeReader> | undefined;
	const loaded = async () => {
		reader ??= openCodeReader(wasmUrl);
		try {
			return await reader;
		} catch (error) {
			// A decoder that could not be fetched may be there at the next start.
			reader = undefined;
			throw error;
		}
	};
	return {
		kind: 'camera',
		async start(onText, view = document.createElement('video')) {
			// The permission is asked for first: it takes a person's time, in which the decoder loads.
			const [stream, decoder] = await bothOrNone(openCamera(), loaded());
			const camera = new Camera({ view, reader: decoder, onRead: reportNew(onText, options) }, trackOf(stream));
			await camera.show(stream);
			return camera.session();
		},
	};
}

async function bothOrNone(opening: Promise<MediaStream>, loading: Promise<CodeReader>) {
	const [stream, reader] = await Promise.allSettled([opening, loading]);
	if (stream.status === 'rejected') throw stream.reason;
	if (reader.status === 'fulfilled') return [stream.value, reader.value] as const;
	stopTracks(stream.value);
	throw reader.reason;
}

/** Hands on each text of each picture that is new in sight. */
function reportNew(onText: (text: string) => void, { onUnreadable }: ScanSourceOptions) {
	const holdOff = createHoldOff();
	return (texts: readonly string[]) => {
		for (const text of texts.filter((each) => holdOff.isNew(each, performance.now()))) {
			if (text.length > scanBytesMax) onUnreadable?.();
			else onText(text);
		}
	};
}

interface CameraParts {
	readonly view: HTMLVideoElement;
	readonly reader: CodeReader;
	readonly onRead: (texts: readonly string[]) => void;
}

/** A camera that closes while nobody sees the page, and opens again by itself. */
class Camera {
	private readonly parts: CameraParts;
	private readonly lost = Promise.withResolvers<ScanProblem>();
	private readonly ended = new AbortController();
	private stream: MediaStream | undefined;
	/** Of the open camera, or of the last one that was. */
	private track: MediaStreamTrack;
	private stopReading = () => {};
	private reopening = false;

	constructor(parts: CameraParts, track: MediaStreamTrack) {
		this.parts = parts;
		this.track = track;
		const { signal } = this.ended;
		document.addEventListener('visibilitychange', () => this.onVisibility(), { signal });
	}

	session(): ScanSession {
		return { ...controlsOf(() => this.track), lost: this.lost.promise, stop: () => this.stop() };
	}

	async show(stream: MediaStream): Promise<void> {
		const { view, reader, onRead } = this.parts;
		this.stream = stream;
		this.track = trackOf(stream);
		this.track.addEventListener('ended', () => this.onEnded(stream), { signal: this.ended.signal });
		Object.assign(view, { srcObject: stream, muted: true, playsInline: true });
		// Rejects when the camera closes before its first picture.
		await view.play().catch(() => {});
		if (this.stream !== stream) return;
		this.stopReading = readFrames(view, reader, { onTexts: onRead, onBroken: () => this.lose('not_supported') });
	}

	stop(): void {
		this.ended.abort();
		this.close();
	}

	private close(): void {
		this.stopReading();
		this.stopReading = () => {};
		if (this.stream === undefined) return;
		stopTracks(this.stream);
		this.stream = undefined;
		this.parts.view.srcObject = null;
	}

	private lose(problem: ScanProblem): void {
		this.stop();
		this.lost.resolve(problem);
	}

	private onVisibility(): void {
		// A camera that stays open behind another page drains the battery and is not given to other programs.
		if (document.visibilityState === 'hidden') this.close();
		else void this.reopen();
	}

	private onEnded(stream: MediaStream): void {
		if (this.stream !== stream) return;
		this.close();
		void this.reopen();
	}

	private async reopen(): Promise<void> {
		if (this.reopening) return;
		this.reopening = true;
		let problem: ScanProblem | undefined;
		for (let attempt = 0; attempt < reopenMax && this.isWanted(); attempt++) {
			if (attempt > 0) await passed(reopenMs, this.ended.signal);
			problem = await this.tryOpen();
		}
		this.reopening = false;
		if (problem !== undefined && this.isWanted()) this.lose(problem === 'no_camera' ? 'device_lost' : problem);
	}

	private isWanted(): boolean {
		return this.stream === undefined && !this.ended.signal.aborted && document.visibilityState !== 'hidden';
	}

	private async tryOpen(): Promise<ScanProblem | undefined> {
		try {
			const stream = await openCamera();
			// It may have been stopped or hidden while the camera opened.
			if (this.isWanted()) await this.show(stream);
			else stopTracks(stream);
			return undefined;
		} catch (error) {
			return error instanceof ScanSourceError ? error.problem : 'not_supported';
		}
	}
}

function stopTracks(stream: MediaStream): void {
	for (const track of stream.getTracks()) track.stop();
}
