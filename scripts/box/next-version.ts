import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { programFolder } from '../package/debian-package.ts';

/** Makes the same package with the next version, as a release would that changes nothing else. Gives its file. */
export function withVersion(file: string, dir: string): string {
	const tree = mkdtempSync(join(dir, 'next-'));
	try {
		execFileSync('dpkg-deb', ['--raw-extract', file, tree]);
		const control = join(tree, 'DEBIAN', 'control');
		const text = readFileSync(control, 'utf8');
		const version = /^Version: (.*)$/m.exec(text)?.[1] ?? '';
		const next = version.replace(/\d+$/, (last) => String(Number(last) + 1));
		writeFileSync(control, text.replace(`Version: ${version}`, `Version: ${next}`));
		const manifest = join(tree, programFolder, 'package.json');
		writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(`"version": "${version}"`, `"version": "${next}"`));
		const made = join(dir, `stileward_${next}_amd64.deb`);
		// Nobody keeps it: packing it quickly is worth more than its size.
		execFileSync('dpkg-deb', ['--root-owner-group', '-Zzstd', '-z1', '--build', tree, made], { stdio: 'pipe' });
		return made;
	} finally {
		rmSync(tree, { recursive: true, force: true });
	}
}

/** The version in the name of a package's file: `stileward_0.1.1_amd64.deb`. */
export function versionOf(file: string): string {
	return /^stileward_(.+)_/.exec(basename(file))?.[1] ?? '';
}
