import { cpSync, existsSync, globSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Packages for browsers and for building their pages: nothing that runs in Node loads them. */
export const browserPackages: readonly string[] = [
	'@preact/signals',
	'@yoursunny/webcrypto-ed25519',
	'barcode-detector',
	'idb',
	'preact',
	'vite',
	'vite-plugin-pwa',
];

/** Folders and files of the project that run in Node, or are data for what does. */
const sources: readonly string[] = [
	...['gate-agent', 'sync', 'handheld/ble', 'device-configs', 'scripts'],
	...['package.json', 'LICENSE', 'NOTICE'],
];

/** What proves the program and is no part of it, and the programs of developers. */
const leftOut: readonly RegExp[] = [
	/\.(test|suite)\.ts$/,
	/(^|\/)(testing|acceptance|emulators)(\/|$)/,
	/(^|\/)(README.*\.md|tsconfig\.json)$/,
	/^sync\/fleet(\/|$)/,
	/^scripts\/(bench|box|lab|load|package|simulate|start|tidy|wiring)(\/|$)/,
	/^device-configs\/guides(\/|$)/,
	/^scripts\/(?!stileward\.ts$)[^/]+\.(ts|mjs)$/,
	/^device-configs\/(udev|systemd)(\/|$)/,
];

/** The built page of the handheld, where `server run` looks for it. */
const handheldPage = '.build/handheld';

/** Copies what a package holds of the project. Gives the files, relative to both folders. */
export function copySources(project: string, target: string): readonly string[] {
	const files = sources.flatMap((source) => globSync(`${source}{,/**}`, { cwd: project, withFileTypes: true }));
	const paths = files
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name).slice(project.length + 1))
		.filter((path) => !leftOut.some((pattern) => pattern.test(path)));
	const unique = [...new Set(paths)].sort();
	for (const path of unique) {
		mkdirSync(join(target, dirname(path)), { recursive: true });
		cpSync(join(project, path), join(target, path));
	}
	if (existsSync(join(project, handheldPage))) {
		cpSync(join(project, handheldPage), join(target, handheldPage), { recursive: true });
	}
	return unique;
}
