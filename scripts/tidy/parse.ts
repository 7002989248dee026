import { fileURLToPath } from 'node:url';
import type { Node, SourceFile } from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

/** A file of the tree as the rules see it. */
export interface Source {
	/** Relative to the repository, with `/`. */
	readonly path: string;
	readonly text: string;
	readonly tree: SourceFile;
}

const top = '/tidy';

/**
 * Parses TypeScript with the compiler itself. Only syntax is asked for: no library, no resolution, so that a file
 * is judged alone. TypeScript calls this interface unstable, which is why its version is pinned.
 */
export function parse(files: ReadonlyMap<string, string>): readonly Source[] {
	const paths = [...files.keys()].filter((path) => /\.(tsx?|mjs)$/.test(path));
	const config = {
		compilerOptions: { noLib: true, noResolve: true, types: [], allowJs: true, noEmit: true, jsx: 'preserve' },
		files: paths,
	};
	const configFile = `${top}/tsconfig.json`;
	const texts = new Map([[configFile, JSON.stringify(config)]]);
	for (const path of paths) texts.set(`${top}/${path}`, files.get(path) ?? '');
	const api = new API({ cwd: fileURLToPath(new URL('../..', import.meta.url)), fs: onlyThese(texts) });
	const snapshot = api.updateSnapshot({ openProjects: [configFile] });
	try {
		const program = snapshot.getProject(configFile)?.program;
		return paths.map((path) => {
			const tree = program?.getSourceFile(`${top}/${path}`);
			if (tree === undefined) throw new Error(`TypeScript does not parse ${path}`);
			return { path, text: files.get(path) ?? '', tree };
		});
	} finally {
		snapshot.dispose();
		api.close();
	}
}

/** A file system that holds these files and nothing else. */
function onlyThese(texts: ReadonlyMap<string, string>) {
	return {
		readFile: (path: string) => texts.get(path) ?? null,
		fileExists: (path: string) => texts.has(path),
		directoryExists: (path: string) => path === top || [...texts.keys()].some((file) => file.startsWith(`${path}/`)),
		getAccessibleEntries: () => ({ files: [], directories: [] }),
		realpath: (path: string) => path,
	};
}

/** Every node of a tree, parents first. */
export function* nodesOf(node: Node): Generator<Node> {
	yield node;
	const children: Node[] = [];
	node.forEachChild((child) => {
		children.push(child);
	});
	for (const child of children) yield* nodesOf(child);
}

/** The line, counted from 1, of a position in the text. */
export function lineAt(text: string, position: number): number {
	let line = 1;
	for (let at = text.indexOf('\n'); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) line += 1;
	return line;
}
