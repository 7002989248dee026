/** Something that reads codes: a camera, a scanner that types, the clipboard. */
export interface ScanSource {
	readonly kind: 'camera' | 'wedge' | 'paste' | 'bluetooth';
	/** Reads until it is stopped; a camera shows itself in `view`. Rejects where it cannot begin. */
	start(onText: (text: string) => void, view?: HTMLVideoElement): Promise<ScanSession>;
}

/** A source that reads. */
export interface ScanSession {
	stop(): void;
	readonly torch?: { on(): boolean; set(on: boolean): Promise<void> };
	/** Tells the scanner the verdict, where it can show one. */
	signal?(good: boolean): void;
	/** Settles with the reason once the source reads no more. */
	readonly lost: Promise<string>;
}
