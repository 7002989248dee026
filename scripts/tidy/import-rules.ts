import { isBuiltin } from 'node:module';
import { dirname, join, normalize } from 'node:path/posix';
import {
	isCallExpression,
	isExportDeclaration,
	isImportDeclaration,
	isImportTypeNode,
	isLiteralTypeNode,
	isNamedImports,
	isNamespaceImport,
	isStringLiteral,
	type Node,
	SyntaxKind,
} from 'typescript/unstable/ast';
import { type Finding, isTest } from './finding.ts';
import { lineAt, nodesOf, type Source } from './parse.ts';
import { driverRooms, roomOf, rooms } from './rooms.ts';

/** One import of a file, by a statement, a type or a call. */
export interface Import {
	readonly line: number;
	/** Types alone: nothing is loaded when the file runs. */
	readonly isTypeOnly: boolean;
	/** The imported file, relative to the repository; for a package its name as written. */
	readonly target: string;
	readonly isFile: boolean;
	/** Names taken from it; `all` where they cannot be told. */
	readonly names: readonly string[] | 'all';
}

/** All imports of a file. */
export function importsOf({ path, text, tree }: Source): readonly Import[] {
	const imports: Import[] = [];
	for (const node of nodesOf(tree)) {
		const specifier = specifierOf(node);
		if (specifier === undefined) continue;
		const isFile = specifier.startsWith('.');
		const target = isFile ? normalize(join(dirname(path), specifier)) : specifier;
		imports.push({
			...{ line: lineAt(text, node.getStart()), isTypeOnly: isTypeOnly(node) },
			...{ target, isFile, names: namesOf(node) },
		});
	}
	return imports;
}

function specifierOf(node: Node): string | undefined {
	if (isImportDeclaration(node) || isExportDeclaration(node)) {
		return node.moduleSpecifier && isStringLiteral(node.moduleSpecifier) ? node.moduleSpecifier.text : undefined;
	}
	if (isImportTypeNode(node)) {
		const literal = isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
		return literal && isStringLiteral(literal) ? literal.text : undefined;
	}
	const isDynamic = isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword;
	const argument = isDynamic ? node.arguments[0] : undefined;
	return argument && isStringLiteral(argument) ? argument.text : undefined;
}

function isTypeOnly(node: Node): boolean {
	if (isImportTypeNode(node)) return true;
	if (isExportDeclaration(node)) return node.isTypeOnly;
	return isImportDeclaration(node) && node.importClause?.phaseModifier === SyntaxKind.TypeKeyword;
}

function namesOf(node: Node): Import['names'] {
	if (!isImportDeclaration(node)) return 'all';
	const bindings = node.importClause?.namedBindings;
	if (bindings === undefined || isNamespaceImport(bindings)) return 'all';
	if (!isNamedImports(bindings)) return 'all';
	return bindings.elements.map((element) => (element.propertyName ?? element.name).text);
}

/** Imports that go the wrong way. `drivers` are the files that are drivers (`driverFiles`). */
export function importFindings(source: Source, drivers: ReadonlySet<string>): readonly Finding[] {
	const { path } = source;
	const room = roomOf(path);
	if (room === undefined) return [];
	const found: Finding[] = [];
	for (const { target, isFile, line } of importsOf(source)) {
		const report = (message: string | undefined) =>
			message && found.push({ path, line, rule: 'import-direction', message: `${target}: ${message}` });
		if (!isFile) report(isTest(path) ? undefined : wrongPackage(room, target));
		else if (drivers.has(path) && drivers.has(target)) {
			report('a driver never imports another; what two share has a file of its own');
		} else report(wrongFile(path, room, target));
	}
	return found;
}

/** Files that export a `Driver`: one model each. */
export function driverFiles(sources: readonly Source[]): ReadonlySet<string> {
	const exportsDriver = /^export const \w+(: | = [^;]*satisfies )Driver</m;
	const isDriver = ({ path, text }: Source) => driverRooms.includes(roomOf(path) ?? '') && exportsDriver.test(text);
	return new Set(sources.filter(isDriver).map(({ path }) => path));
}

function wrongFile(path: string, room: string, target: string): string | undefined {
	const other = roomOf(target);
	if (other === undefined || other === room) return undefined;
	if (other.startsWith('scripts') && !room.startsWith('scripts')) return 'scripts see all and are imported by nothing';
	// A test may stand on any real part of the product, so that nothing in it has to be a mock.
	if (isTest(path) || rooms[room]?.sees.includes(other)) return undefined;
	return `${room} may see ${rooms[room]?.sees.join(', ') || 'nothing but itself'}`;
}

function wrongPackage(room: string, target: string): string | undefined {
	const allowed = rooms[room]?.packages;
	if (allowed === undefined) return undefined;
	if (isBuiltin(target)) return `${room} knows nothing of Node`;
	const isAllowed = allowed.some((name) => target === name || target.startsWith(`${name}/`));
	return isAllowed ? undefined : `${room} may import ${allowed.join(', ') || 'no package'}`;
}
