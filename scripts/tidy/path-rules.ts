import type { Finding } from './finding.ts';
import { explainedFolders, rooms } from './rooms.ts';

const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.(tsx?|mjs)$/;
const emptyName = /^(types|(.+-)?(utils?|helpers?|common|misc|manager))$/;

/** What the names and places of files show. */
export function pathFindings(paths: readonly string[]): readonly Finding[] {
	const found: Finding[] = [];
	const report = (path: string, rule: string, message: string) => found.push({ path, line: 0, rule, message });
	for (const path of paths.filter((each) => /\.(tsx?|mjs)$/.test(each))) {
		const name = path.split('/').at(-1) ?? path;
		if (!kebab.test(name)) report(path, 'file-name', 'file names are kebab-case');
		const stem = name.split('.')[0] ?? name;
		if (emptyName.test(stem)) report(path, 'file-name', `"${stem}" says nothing: name the one thing in the file`);
	}
	for (const folder of [...explainedFolders, ...Object.keys(rooms)]) {
		const inside = folder === '.' ? '' : `${folder}/`;
		const isThere = folder === '.' || paths.some((path) => path.startsWith(inside));
		if (isThere && !paths.includes(`${inside}README.md`)) {
			report(`${inside}README.md`, 'readme', 'missing: a folder explains its flow, how to add one more, and why');
		}
	}
	return found;
}
