import { ScanSourceError } from './scan-source.ts';

/** Finds the QR codes in a picture. */
export interface CodeReader {
	/** Texts of all codes in the picture that the video shows now, as they were encoded. */
	read(view: HTMLVideoElement): Promise<readonly string[]>;
}

/** The part of the Barcode Detection API (WICG shape-detection) that is used; TypeScript does not know it. */
interface Detector {
	detect(image: HTMLVideoElement | ImageData): Promise<readonly { readonly rawValue: string }[]>;
}

interface DetectorClass {
	new (options: { formats: ['qr_code'] }): Detector;
	getSupportedFormats(): Promise<readonly string[]>;
}

/**
 * The browser's own detector where it reads QR codes, else zxing compiled to WebAssembly, fetched from `wasmUrl`, which
 * lies at the page's own origin. Rejects with `not_supported` where neither works.
 */
export async function openCodeReader(wasmUrl: string): Promise<CodeReader> {
	return (await nativeReader()) ?? (await wasmReader(wasmUrl));
}

async function nativeReader(): Promise<CodeReader | undefined> {
	// Chromium has it on Android, ChromeOS and macOS; it exists elsewhere without a service behind it and lists nothing.
	const { BarcodeDetector } = globalThis as { BarcodeDetector?: DetectorClass };
	const formats = await BarcodeDetector?.getSupportedFormats().catch((): readonly string[] => []);
	if (BarcodeDetector === undefined || !formats?.includes('qr_code')) return undefined;
	const detector = new BarcodeDetector({ formats: ['qr_code'] });
	return { read: async (view) => textsOf(await detector.detect(view)) };
}

async function wasmReader(wasmUrl: string): Promise<CodeReader> {
	try {
		const { BarcodeDetector, prepareZXingModule, ZXING_WASM_SHA256 } = await import('barcode-detector/ponyfill');
		const wasmBinary = await fetchDecoder(wasmUrl, ZXING_WASM_SHA256);
		// Given no binary, the library fetches one from a public network of mirrors.
		await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
		const detector = new BarcodeDetector({ formats: ['qr_code'] });
		const picture = createPicture();
		return { read: async (view) => textsOf(await detector.detect(picture(view))) };
	} catch (cause) {
		throw new ScanSourceError('not_supported', { cause });
	}
}

/** A decoder of another version than its glue starts, and then fails at every picture: it is refused before. */
async function fetchDecoder(wasmUrl: string, sha256: string): Promise<ArrayBuffer> {
	const response = await fetch(wasmUrl);
	const wasm = await response.arrayBuffer();
	const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', wasm));
	const hex = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
	if (hex !== sha256) throw new Error(`${wasmUrl} is not the decoder that barcode-detector was built for`);
	return wasm;
}

/** One canvas in main memory for all pictures: the library makes a new one for each, on the graphics card. */
function createPicture(): (view: HTMLVideoElement) => ImageData {
	const canvas = new OffscreenCanvas(1, 1);
	const context = canvas.getContext('2d', { willReadFrequently: true });
	if (context === null) throw new Error('this browser draws no pictures');
	return (view) => {
		const { videoWidth, videoHeight } = view;
		// A new size clears the canvas and costs memory anew.
		if (canvas.width !== videoWidth) canvas.width = videoWidth;
		if (canvas.height !== videoHeight) canvas.height = videoHeight;
		context.drawImage(view, 0, 0);
		return context.getImageData(0, 0, videoWidth, videoHeight);
	};
}

function textsOf(codes: readonly { readonly rawValue: string }[]): readonly string[] {
	return codes.map(({ rawValue }) => rawValue).filter((text) => text !== '');
}
