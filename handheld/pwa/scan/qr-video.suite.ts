import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { correction, generate } from 'lean-qr';

/** How a code lies in front of the camera. */
export interface Shot {
	readonly text: string;
	/** Pixels of the picture per module of the code. */
	readonly modulePx: number;
	readonly degrees: number;
	/** Width of the box that blurs, in pixels. */
	readonly blurPx: number;
	/** Largest change of a pixel's brightness by noise. */
	readonly noise: number;
}

const width = 1280;
const height = 720;
const framesPerSecond = 5;
const shotFrames = 5;

/** Writes a video of shots of one second each, uncompressed, as Chromium's fake camera plays it again and again. */
export async function writeQrVideo(path: string, shots: readonly Shot[]): Promise<void> {
	const file = createWriteStream(path);
	file.write(`YUV4MPEG2 W${width} H${height} F${framesPerSecond}:1 Ip A1:1 C420\n`);
	const chroma = Buffer.alloc((width * height) / 2, 128);
	const random = noiseFrom(20_260_101);
	for (const shot of shots) {
		const still = draw(shot);
		for (let frame = 0; frame < shotFrames; frame++) {
			file.write('FRAME\n');
			file.write(still.map((light) => clamp(light + (random() - 0.5) * 2 * shot.noise)));
			file.write(chroma);
		}
	}
	file.end();
	await finished(file);
}

/** One grey picture: the code on white paper, in the middle of a dim room. */
function draw({ text, modulePx, degrees, blurPx }: Shot): Uint8Array {
	const code = generate(text, { minCorrectionLevel: correction.M, maxCorrectionLevel: correction.M });
	const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
	const paper = code.size / 2 + 4;
	const lightAt = (x: number, y: number) => {
		const across = (x * cos + y * sin) / modulePx;
		const down = (y * cos - x * sin) / modulePx;
		if (Math.max(Math.abs(across), Math.abs(down)) > paper) return 90;
		return code.get(Math.floor(across + code.size / 2), Math.floor(down + code.size / 2)) ? 45 : 205;
	};
	const offsets = [-0.375, -0.125, 0.125, 0.375].map((part) => part * blurPx);
	const picture = new Uint8Array(width * height);
	for (let at = 0; at < picture.length; at++) {
		const [x, y] = [(at % width) - width / 2, Math.floor(at / width) - height / 2];
		picture[at] = 90;
		if (Math.hypot(x, y) > paper * modulePx * 1.5 + blurPx) continue;
		let light = 0;
		for (const dx of offsets) for (const dy of offsets) light += lightAt(x + dx, y + dy);
		picture[at] = light / offsets.length ** 2;
	}
	return picture;
}

function clamp(light: number): number {
	return Math.max(16, Math.min(235, light));
}

/** Numerical Recipes' linear congruence: the same noise every time. */
function noiseFrom(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	};
}
