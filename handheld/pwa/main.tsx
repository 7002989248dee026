import zxingWasm from 'zxing-wasm/reader/zxing_reader.wasm?url';
import { browserDeps } from './engine/browser-deps.ts';
import { createHandheld } from './engine/create-handheld.ts';
import { browserParts } from './page/browser-parts.ts';
import { startPage } from './page/start-page.tsx';
import { cameraSource } from './scan/camera.ts';
import { pasteSource } from './scan/paste.ts';
import { wedgeSource } from './scan/wedge.ts';

/** Starts the handheld: engine, scanners, page. */
async function main(): Promise<void> {
	const root = document.getElementById('root');
	if (root === null) throw new Error('assertion failed: the page has no root');
	const log = (event: string, fields?: object) => console.info(event, fields ?? {});
	const handheld = await createHandheld(browserDeps({ packageVersion: __STILEWARD_VERSION__, log }));
	startPage(root, browserParts(handheld, [cameraSource({ wasmUrl: zxingWasm }), wedgeSource(), pasteSource()]));
}

await main();
