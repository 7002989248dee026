import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { importsOf } from '../tidy/import-rules.ts';
import { parse } from '../tidy/parse.ts';

/** Imports of a laid out tree that would find nothing when they run, each with its file. */
export function missingImports(tree: string, files: readonly string[]): readonly string[] {
	const texts = new Map(
		files.filter((path) => path.endsWith('.ts')).map((path) => [path, readFileSync(join(tree, path), 'utf8')]),
	);
	return parse(texts).flatMap((source) =>
		importsOf(source)
			.filter(({ isTypeOnly, target, isFile }) => !isTypeOnly && !isThere(tree, target, isFile))
			.map(({ target, line }) => `${source.path}:${line} ${target}`),
	);
}

function isThere(tree: string, target: string, isFile: boolean): boolean {
	if (isFile) return existsSync(join(tree, target));
	if (isBuiltin(target)) return true;
	const [first = '', second = ''] = target.split('/');
	return existsSync(join(tree, 'node_modules', first.startsWith('@') ? `${first}/${second}` : first, 'package.json'));
}
