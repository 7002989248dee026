import type { AssetSource } from '../display/page-assets.ts';

/** The files behind the technician's page; nothing else is ever served. */
export const pageSources: readonly AssetSource[] = [
	'page/technician.html',
	'page/technician.css',
	'page/technician.ts',
	'page/sections.ts',
	'page/words.ts',
].map((path) => ({ path: `/technician/${path}`, file: new URL(`./${path}`, import.meta.url) }));
