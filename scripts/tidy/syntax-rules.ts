import {
	isArrowFunction,
	isCallExpression,
	isClassDeclaration,
	isConstructorDeclaration,
	isEnumDeclaration,
	isExportAssignment,
	isExportDeclaration,
	isFunctionDeclaration,
	isFunctionExpression,
	isIdentifier,
	isInterfaceDeclaration,
	isMethodDeclaration,
	isMethodSignatureDeclaration,
	isModuleDeclaration,
	isNewExpression,
	isParameterDeclaration,
	isPropertyAccessExpression,
	isTypeAliasDeclaration,
	isVariableStatement,
	type Node,
	NodeFlags,
	SyntaxKind,
	type VariableStatement,
} from 'typescript/unstable/ast';
import { type Finding, isTest } from './finding.ts';
import { lineAt, nodesOf, type Source } from './parse.ts';

/** The longest file, in lines. */
export const fileLinesMax = 400;
/** The longest function, in lines. */
export const functionLinesMax = 70;
/** Parameters of a function; more become one object. */
export const parametersMax = 3;

const impure = new Set([
	'Date',
	'fetch',
	'process',
	'performance',
	'setTimeout',
	'setInterval',
	'setImmediate',
	'globalThis',
]);

/** What the syntax tree of one file shows. */
export function syntaxFindings(source: Source): readonly Finding[] {
	const found: Finding[] = [];
	const report = (node: Node, rule: string, message: string) =>
		found.push({ path: source.path, line: lineAt(source.text, node.getStart()), rule, message });
	const lines = source.text.trimEnd().split('\n').length;
	if (lines > fileLinesMax) {
		report(source.tree, 'file-length', `${lines} lines, at most ${fileLinesMax}: a file does one thing`);
	}
	for (const node of nodesOf(source.tree)) {
		functionRules(node, source, report);
		wordRules(node, source, report);
		formRules(node, source, report);
	}
	for (const statement of source.tree.statements) statementRules(statement, source, report);
	barrelRule(source, report);
	return found;
}

type Report = (node: Node, rule: string, message: string) => void;

function functionRules(node: Node, source: Source, report: Report): void {
	const isFunction =
		isFunctionDeclaration(node) ||
		isFunctionExpression(node) ||
		isArrowFunction(node) ||
		isMethodDeclaration(node) ||
		isConstructorDeclaration(node);
	if (!isFunction && !isMethodSignatureDeclaration(node)) return;
	const parameters = node.parameters.filter((each) => !isIdentifier(each.name) || each.name.text !== 'this').length;
	// The columns of a test's table come as parameters.
	const isTableRow = isTest(source.path) && isCallExpression(node.parent);
	if (parameters > parametersMax && !isTableRow) {
		report(
			node,
			'parameters',
			`${parameters} parameters, at most ${parametersMax}: pass one object, its names explain`,
		);
	}
	if (!isFunction || (isTest(source.path) && isChapter(node))) return;
	const lines = lineAt(source.text, node.end) - lineAt(source.text, node.getStart()) + 1;
	if (lines > functionLinesMax) {
		report(node, 'function-length', `${lines} lines, at most ${functionLinesMax}: name its steps`);
	}
}

/** The body of a `describe`, or the function that holds a suite: its length is that of its tests. */
function isChapter(node: Node): boolean {
	return isCallExpression(node.parent) || /^\t*(describe|it|test)(\.\w+)?\(/m.test(node.getText());
}

function wordRules(node: Node, { path }: Source, report: Report): void {
	if (!isIdentifier(node) || isTest(path) || !path.startsWith('gate-agent/')) return;
	const isMember = isPropertyAccessExpression(node.parent) && node.parent.name === node;
	const inCore = path.startsWith('gate-agent/core/');
	if (inCore && !isMember && !isNameOfMember(node) && impure.has(node.text)) {
		report(node, 'core-purity', `the core may not use ${node.text}: clock, chance and the world are parameters`);
	}
	if (inCore && isMember && node.text === 'random' && node.parent.getText() === 'Math.random') {
		report(node, 'core-purity', 'the core may not use Math.random: chance is a parameter');
	}
	const readsEnvironment = isMember && node.text === 'env' && /^process\.env\b/.test(node.parent.getText());
	if (readsEnvironment && !/\/(config|main)\.ts$/.test(path)) {
		report(node, 'environment', 'only config.ts and main.ts read the environment: settings have one door');
	}
}

/** `{ fetch: … }`, `fetch(): …` in an interface: a name that the code gives, not a global that it uses. */
function isNameOfMember(node: Node): boolean {
	const { parent } = node;
	const names = [
		SyntaxKind.PropertyAssignment,
		SyntaxKind.PropertySignature,
		SyntaxKind.MethodSignature,
		SyntaxKind.PropertyDeclaration,
	];
	return names.includes(parent.kind) && 'name' in parent && parent.name === node;
}

function formRules(node: Node, { path }: Source, report: Report): void {
	if (isEnumDeclaration(node)) report(node, 'no-enum', 'use a union of strings: types are erased, not compiled');
	if (isModuleDeclaration(node)) report(node, 'no-namespace', 'use a module: types are erased, not compiled');
	if (isParameterDeclaration(node) && isConstructorDeclaration(node.parent) && node.modifiers?.length) {
		report(node, 'no-parameter-property', 'declare the field: types are erased, not compiled');
	}
	// A suite may skip itself with the reason in its name, e.g. without a browser; a test may not.
	if (!path.endsWith('.test.ts') || !isPropertyAccessExpression(node)) return;
	const called = node.getText();
	if (/^(vi\.(mock|doMock)|(it|test|describe)\.(only|skip|todo))$/.test(called)) {
		report(node, 'test-honesty', `${called}: tests run real parts, all of them, every time`);
	}
}

function statementRules(statement: Node, { path }: Source, report: Report): void {
	const isDefault =
		isExportAssignment(statement) || modifiersOf(statement).some((each) => each.kind === SyntaxKind.DefaultKeyword);
	if (isDefault && !path.endsWith('.config.ts')) {
		report(statement, 'no-default-export', 'export by name: a thing has one name everywhere');
	}
	if (isVariableStatement(statement) && !isTest(path)) moduleStateRule(statement, report);
	if (isTest(path) || path.endsWith('.mjs') || !isExported(statement) || !isDeclaration(statement)) return;
	if (!statement.jsDoc?.length && !isLaterOverload(statement)) {
		report(statement, 'docstring', 'an export has a docstring: one sentence, then shapes, units and errors');
	}
}

function barrelRule({ tree }: Source, report: Report): void {
	const statements = [...tree.statements];
	const passedOn = statements.filter((each) => isExportDeclaration(each) && each.moduleSpecifier !== undefined);
	const all = passedOn.filter((each) => isExportDeclaration(each) && each.exportClause === undefined);
	const barrel = passedOn.length === statements.length ? passedOn : all;
	for (const each of barrel) report(each, 'no-barrel', 'import things from the file that makes them');
}

function moduleStateRule(statement: VariableStatement, report: Report): void {
	const { declarationList } = statement;
	const isConstant = (declarationList.flags & NodeFlags.Const) !== 0;
	for (const { initializer } of declarationList.declarations) {
		const isEmptyStore =
			initializer !== undefined &&
			isNewExpression(initializer) &&
			/^(Map|Set|WeakMap|WeakSet)$/.test(initializer.expression.getText()) &&
			!initializer.arguments?.length;
		if (!isConstant || isEmptyStore) {
			report(statement, 'module-state', 'no mutable state in a module: whoever makes a thing owns its state');
		}
	}
}

function isDeclaration(node: Node): boolean {
	return (
		isFunctionDeclaration(node) ||
		isClassDeclaration(node) ||
		isInterfaceDeclaration(node) ||
		isTypeAliasDeclaration(node) ||
		isVariableStatement(node)
	);
}

function isLaterOverload(node: Node): boolean {
	if (!isFunctionDeclaration(node)) return false;
	const siblings: Node[] = [];
	node.parent.forEachChild((child) => {
		siblings.push(child);
	});
	const before = siblings[siblings.indexOf(node) - 1];
	return before !== undefined && isFunctionDeclaration(before) && before.name?.text === node.name?.text;
}

function modifiersOf(node: Node): readonly Node[] {
	return 'modifiers' in node && node.modifiers ? [...(node.modifiers as Iterable<Node>)] : [];
}

/** Whether a statement has the word `export`. */
export function isExported(node: Node): boolean {
	return modifiersOf(node).some((each) => each.kind === SyntaxKind.ExportKeyword);
}
