/// <reference types="vite/client" />
/// <reference path="./scan-window.d.ts" />
import wasmUrl from 'zxing-wasm/reader/zxing_reader.wasm?url';
import { bluetoothSource } from './bluetooth-source.ts';
import { cameraSource } from './camera.ts';
import { decodeMeasure, deliveryMeasure } from './frame-loop.ts';
import { pasteSource } from './paste.ts';
import type { ScanSession, ScanSource } from './scan-source.ts';
import { ScanSourceError } from './scan-source.ts';
import { nordicUart } from './uart-profile.ts';
import { wedgeSource } from './wedge.ts';

/** What the page of the tests has seen; the tests read it from outside. */
export interface ScanPage {
	readonly texts: { readonly text: string; readonly atMs: number }[];
	readonly decodeMs: number[];
	readonly deliveryMs: number[];
	readonly sources: Readonly<Record<string, ScanSource>>;
	session: ScanSession | undefined;
	lost: string | undefined;
	unreadable: number;
	/** Answers the problem where the source cannot begin. */
	start(kind: string): Promise<string>;
}

const onUnreadable = () => {
	window.scan.unreadable += 1;
};

const verdicts = { good: Uint8Array.of(0x06), bad: Uint8Array.of(0x15) };

window.scan = {
	texts: [],
	decodeMs: [],
	deliveryMs: [],
	sources: {
		camera: cameraSource({ wasmUrl, onUnreadable }),
		wedge: wedgeSource({ onUnreadable }),
		paste: pasteSource({ onUnreadable }),
		bluetooth: bluetoothSource({ profile: { ...nordicUart, verdicts }, onUnreadable }),
	},
	session: undefined,
	lost: undefined,
	unreadable: 0,
	async start(kind) {
		try {
			const view = document.querySelector('video') ?? undefined;
			const onText = (text: string) => window.scan.texts.push({ text, atMs: performance.now() });
			const session = await window.scan.sources[kind]?.start(onText, view);
			window.scan.session = session;
			void session?.lost.then((problem) => {
				window.scan.lost = problem;
			});
			return 'started';
		} catch (error) {
			return error instanceof ScanSourceError ? error.problem : String(error);
		}
	},
};

new PerformanceObserver((list) => {
	for (const { name, duration } of list.getEntries()) {
		if (name === decodeMeasure) window.scan.decodeMs.push(duration);
		if (name === deliveryMeasure) window.scan.deliveryMs.push(duration);
	}
}).observe({ type: 'measure' });
