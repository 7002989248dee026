import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

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

/** The mode `scripted` builds the page over its scripted handheld, for pictures and tests. */
export default defineConfig(({ mode }) => ({
	root: mode === 'scripted' ? here('page/testing') : here('.'),
	base: '/handheld/',
	publicDir: here('public'),
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
}));
