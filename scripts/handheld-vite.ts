import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { InlineConfig } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';

const here = (path: string) => fileURLToPath(new URL(`../handheld/pwa/${path}`, import.meta.url));

const { version } = JSON.parse(readFileSync(here('../../package.json'), 'utf8')) as { version: string };

/** The decoder that `barcode-detector` was built for: it takes no other version. */
const fromHere = createRequire(import.meta.url);
const decoder = createRequire(fromHere.resolve('barcode-detector')).resolve('zxing-wasm/reader/zxing_reader.wasm');

const manifest = {
	id: '/handheld/',
	name: 'Stileward 手持验票',
	short_name: '验票',
	description: 'Ticket check by hand, with or without the network',
	lang: 'zh-CN',
	display: 'standalone',
	start_url: '/handheld/',
	scope: '/handheld/',
	background_color: '#0a1626',
	theme_color: '#0a1626',
	icons: [
		{ src: 'icon.svg', sizes: 'any', type: 'image/svg+xml' },
		{ src: 'icon-192.png', sizes: '192x192', type: 'image/png' },
		{ src: 'icon-512.png', sizes: '512x512', type: 'image/png' },
		{ src: 'icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
	],
} as const;

/** How the page is built: `scripted` is the page over a handheld that follows a script, for pictures and tests. */
export function handheldVite(mode: 'product' | 'scripted'): InlineConfig {
	return {
		configFile: false,
		logLevel: 'warn',
		root: mode === 'scripted' ? here('page/testing') : here('.'),
		base: '/handheld/',
		publicDir: here('public'),
		define: { __STILEWARD_VERSION__: JSON.stringify(version) },
		resolve: { alias: [{ find: /^zxing-wasm\/reader\/zxing_reader\.wasm/, replacement: decoder }] },
		oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
		build: {
			outDir: here(mode === 'scripted' ? '../../.build/handheld-scripted' : '../../.build/handheld'),
			emptyOutDir: true,
			// The policy of the server allows no inline script or style, nor data: addresses.
			assetsInlineLimit: 0,
			modulePreload: { polyfill: false },
		},
		plugins: [
			VitePWA({
				registerType: 'prompt',
				injectRegister: false,
				manifest: { ...manifest, icons: [...manifest.icons] },
				workbox: {
					globPatterns: ['**/*.{js,css,html,svg,png,wasm,webmanifest}'],
					navigateFallback: '/handheld/index.html',
					inlineWorkboxRuntime: true,
					sourcemap: false,
				},
			}),
		],
	};
}
