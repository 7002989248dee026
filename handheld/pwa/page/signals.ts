/** What staff hear and feel. Each differs in rhythm, so that it is told apart in a crowd and without pitch. */
export type Beat = 'granted' | 'cue' | 'refused' | 'look';

/** Sounds and shakes. */
export interface Signals {
	give(beat: Beat): void;
}

interface Tone {
	readonly hertz: number;
	readonly atMs: number;
	readonly durationMs: number;
}

const tones: Readonly<Record<Beat, readonly Tone[]>> = {
	granted: [{ hertz: 1320, atMs: 0, durationMs: 140 }],
	cue: [
		{ hertz: 990, atMs: 0, durationMs: 110 },
		{ hertz: 1320, atMs: 170, durationMs: 110 },
		{ hertz: 990, atMs: 340, durationMs: 110 },
	],
	refused: [
		{ hertz: 300, atMs: 0, durationMs: 260 },
		{ hertz: 240, atMs: 340, durationMs: 420 },
	],
	look: [{ hertz: 660, atMs: 0, durationMs: 60 }],
};

/** Vibration in milliseconds: on, off, on. */
const shakes: Readonly<Record<Beat, readonly number[]>> = {
	granted: [60],
	cue: [60, 60, 60, 60, 60],
	refused: [260, 80, 420],
	look: [30],
};

/** Signals of the browser: WebAudio and vibration, each where there is one. */
export function browserSignals(): Signals {
	let audio: AudioContext | undefined;
	return {
		give: (beat) => {
			// Refused until the page was touched once, which signing in does.
			if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([...shakes[beat]]);
			audio ??= new AudioContext();
			if (audio.state === 'suspended') void audio.resume();
			for (const tone of tones[beat]) play(audio, tone);
		},
	};
}

function play(audio: AudioContext, { hertz, atMs, durationMs }: Tone): void {
	const start = audio.currentTime + atMs / 1000;
	const end = start + durationMs / 1000;
	const volume = audio.createGain();
	// Without a ramp the speaker clicks.
	volume.gain.setValueAtTime(0, start);
	volume.gain.linearRampToValueAtTime(0.5, start + 0.01);
	volume.gain.setValueAtTime(0.5, end - 0.02);
	volume.gain.linearRampToValueAtTime(0, end);
	const voice = audio.createOscillator();
	voice.type = 'square';
	voice.frequency.value = hertz;
	voice.connect(volume).connect(audio.destination);
	voice.start(start);
	voice.stop(end);
}
