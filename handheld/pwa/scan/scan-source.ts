/**
 * Something that reads codes for a handheld. Law: one presentation of a code is delivered once, as the text that was
 * encoded (no trimming: base45 can hold double spaces), at most `scanBytesMax` bytes long, and never before `start`
 * has resolved or after `stop`. Texts are neither logged nor kept.
 */
export interface ScanSource {
	readonly kind: 'camera' | 'wedge' | 'paste' | 'bluetooth';
	/**
	 * Reads until it is stopped or lost; a camera shows itself in `view`. Rejects with a `ScanSourceError` where it
	 * cannot begin.
	 */
	start(onText: (text: string) => void, view?: HTMLVideoElement): Promise<ScanSession>;
}

/** A source that reads. What its device lacks is absent. */
export interface ScanSession {
	/** Lets go of the device at once; calling it again does nothing. */
	stop(): void;
	readonly torch?: Torch;
	readonly zoom?: Zoom;
	/** Shows the verdict at the scanner, where it can. Never throws: the screen has said it already. */
	signal?(good: boolean): void;
	/** Settles once the source reads no more by itself, which it has then tried to mend; never after `stop`. */
	readonly lost: Promise<ScanProblem>;
}

/** The light of a camera. */
export interface Torch {
	on(): boolean;
	set(on: boolean): Promise<void>;
}

/** The zoom of a camera, in the factors that its driver names. */
export interface Zoom {
	readonly min: number;
	readonly max: number;
	readonly step: number;
	readonly value: number;
	set(value: number): Promise<void>;
}

/** Why a source cannot read: every one of them is something that a person can mend. */
export type ScanProblem =
	| 'no_camera'
	| 'camera_denied'
	| 'camera_busy'
	| 'bluetooth_denied'
	| 'device_lost'
	| 'not_supported';

/** What every source tells beside its texts. */
export interface ScanSourceOptions {
	/** Something was read that is too long for any code; it is dropped. */
	onUnreadable?(): void;
}

/** A source that cannot begin. The page branches on `problem`. */
export class ScanSourceError extends Error {
	override readonly name = 'ScanSourceError';
	readonly problem: ScanProblem;

	constructor(problem: ScanProblem, options?: { cause?: unknown }) {
		super(`the source of scans cannot start: ${problem}`, options);
		this.problem = problem;
	}
}
