import { dirname, join, normalize } from 'node:path/posix';
import type { Finding } from './finding.ts';
import { rooms } from './rooms.ts';

interface Project {
	readonly references?: readonly { readonly path: string }[];
	readonly compilerOptions?: { readonly types?: readonly string[] };
}

/** Where a folder's TypeScript project lets the compiler see more, or less, than the table of rooms. */
export function projectFindings(files: ReadonlyMap<string, string>): readonly Finding[] {
	const found: Finding[] = [];
	for (const [path, text] of files) {
		if (!path.endsWith('/tsconfig.json')) continue;
		const report = (message: string) => found.push({ path, line: 0, rule: 'project-references', message });
		const folder = dirname(path);
		const room = rooms[folder];
		if (room === undefined) {
			report(`${folder} is a project but no room: say in scripts/tidy/rooms.ts what it may see`);
			continue;
		}
		// The files of this repository's projects are plain JSON, so that any program can read them.
		const project = JSON.parse(text) as Project;
		const seen = (project.references ?? []).map((each) => normalize(join(folder, each.path)).replace(/\/$/, ''));
		for (const other of seen.filter((each) => !room.sees.includes(each))) report(`${folder} may not see ${other}`);
		const types = project.compilerOptions?.types ?? [];
		if (room.packages && types.length > 0) report(`${folder} runs anywhere: "types" stays empty`);
	}
	return found;
}
