import {
	isClassDeclaration,
	isFunctionDeclaration,
	isIdentifier,
	isInterfaceDeclaration,
	isTypeAliasDeclaration,
	isVariableStatement,
	type Node,
} from 'typescript/unstable/ast';
import { type Finding, isTest } from './finding.ts';
import { importsOf } from './import-rules.ts';
import { lineAt, nodesOf, type Source } from './parse.ts';
import { isExported } from './syntax-rules.ts';

/** Exported names that no file uses, not even their own: dead weight that looks alive. */
export function exportFindings(sources: readonly Source[]): readonly Finding[] {
	const imported = importedNames(sources);
	const found: Finding[] = [];
	for (const source of sources.filter(({ path }) => /(?<!\.d|\.config)\.tsx?$/.test(path) && !isTest(path))) {
		const names = imported.get(source.path);
		if (names === 'all') continue;
		for (const { name, node } of exportsOf(source)) {
			// What its own file mentions again is alive: a named limit, a part of another export's signature.
			if (names?.has(name) || mentions(source, name) > 1) continue;
			const line = lineAt(source.text, node.getStart());
			found.push({ path: source.path, line, rule: 'dead-export', message: `nothing uses ${name}: delete it` });
		}
	}
	return found;
}

function importedNames(sources: readonly Source[]): ReadonlyMap<string, ReadonlySet<string> | 'all'> {
	const imported = new Map<string, ReadonlySet<string> | 'all'>();
	for (const { target, isFile, names } of sources.flatMap((source) => importsOf(source))) {
		const before = imported.get(target);
		if (!isFile || before === 'all') continue;
		imported.set(target, names === 'all' ? 'all' : new Set([...(before ?? []), ...names]));
	}
	return imported;
}

function exportsOf({ tree }: Source): readonly { readonly name: string; readonly node: Node }[] {
	return [...tree.statements].filter(isExported).flatMap((node) => namesOf(node).map((name) => ({ name, node })));
}

function namesOf(node: Node): readonly string[] {
	if (isInterfaceDeclaration(node) || isTypeAliasDeclaration(node)) return [node.name.text];
	if (isFunctionDeclaration(node) || isClassDeclaration(node)) return node.name ? [node.name.text] : [];
	if (!isVariableStatement(node)) return [];
	return [...node.declarationList.declarations].flatMap(({ name }) => (isIdentifier(name) ? [name.text] : []));
}

function mentions({ tree }: Source, name: string): number {
	let count = 0;
	for (const node of nodesOf(tree)) if (isIdentifier(node) && node.text === name) count += 1;
	return count;
}
