import { type ScanProblem, ScanSourceError, type Torch, type Zoom } from './scan-source.ts';

/** The rear camera. 1280 × 720 reads a ticket at arm's length; more only costs decoding. */
const wanted: MediaStreamConstraints = {
	audio: false,
	video: { facingMode: { ideal: 'environment' }, width: { ideal: 1280 }, height: { ideal: 720 } },
};

/** W3C Image Capture, which TypeScript's DOM does not have. */
interface ImageCapabilities {
	readonly torch?: boolean;
	readonly focusMode?: readonly string[];
	readonly zoom?: { readonly min: number; readonly max: number; readonly step: number };
}

interface ImageSettings {
	readonly torch?: boolean;
	readonly focusMode?: string;
	readonly zoom?: number;
}

/** Opens the rear camera. Rejects with `no_camera`, `camera_denied`, `camera_busy` or `not_supported`. */
export async function openCamera(): Promise<MediaStream> {
	// A page that is not served securely has no media devices at all.
	const devices: MediaDevices | undefined = navigator.mediaDevices;
	if (devices === undefined) throw new ScanSourceError('not_supported');
	const stream = await devices.getUserMedia(wanted).catch((cause: unknown) => {
		throw new ScanSourceError(problemOf(cause), { cause });
	});
	const track = trackOf(stream);
	if (capabilitiesOf(track).focusMode?.includes('continuous')) {
		// A camera that refuses to focus by itself still reads.
		await apply(track, { focusMode: 'continuous' }).catch(() => {});
	}
	return stream;
}

function problemOf(cause: unknown): ScanProblem {
	const name = cause instanceof DOMException ? cause.name : '';
	return problems[name] ?? 'not_supported';
}

const problems: Readonly<Record<string, ScanProblem>> = {
	NotAllowedError: 'camera_denied',
	SecurityError: 'camera_denied',
	NotFoundError: 'no_camera',
	OverconstrainedError: 'no_camera',
	NotReadableError: 'camera_busy',
	AbortError: 'camera_busy',
};

/** The video track of a camera's stream. */
export function trackOf(stream: MediaStream): MediaStreamTrack {
	const [track] = stream.getVideoTracks();
	if (track === undefined) throw new ScanSourceError('no_camera');
	return track;
}

/** What of light and zoom the camera has. `track` gives the track of now: a camera that restarts has a new one. */
export function controlsOf(track: () => MediaStreamTrack): { readonly torch?: Torch; readonly zoom?: Zoom } {
	const { torch, zoom } = capabilitiesOf(track());
	return {
		...(torch === true && { torch: torchOf(track) }),
		...(zoom !== undefined && zoom.max > zoom.min && { zoom: zoomOf(track, zoom) }),
	};
}

function torchOf(track: () => MediaStreamTrack): Torch {
	return { on: () => settingsOf(track()).torch === true, set: (on) => apply(track(), { torch: on }) };
}

function zoomOf(track: () => MediaStreamTrack, { min, max, step }: NonNullable<ImageCapabilities['zoom']>): Zoom {
	return {
		min,
		max,
		step,
		get value() {
			return settingsOf(track()).zoom ?? min;
		},
		set: (value) => apply(track(), { zoom: Math.min(max, Math.max(min, value)) }),
	};
}

function capabilitiesOf(track: MediaStreamTrack): ImageCapabilities {
	// Firefox has no such method. The cast adds what Image Capture adds.
	return (track.getCapabilities?.() ?? {}) as ImageCapabilities;
}

function settingsOf(track: MediaStreamTrack): ImageSettings {
	return track.getSettings() as ImageSettings;
}

function apply(track: MediaStreamTrack, settings: ImageSettings): Promise<void> {
	// The cast: these are constraints of Image Capture.
	return track.applyConstraints({ advanced: [settings as MediaTrackConstraintSet] });
}
