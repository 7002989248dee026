import {
	isNoSubstitutionTemplateLiteral,
	isRegularExpressionLiteral,
	isStringLiteral,
	isTemplateHead,
	isTemplateMiddle,
	isTemplateTail,
} from 'typescript/unstable/ast';
import { type Finding, isTest } from './finding.ts';
import { lineAt, nodesOf, type Source } from './parse.ts';

interface Comment {
	readonly text: string;
	readonly at: number;
	readonly kind: 'line' | 'block';
}

// Written in pieces, so that this file does not break its own rule.
const markers = new RegExp(
	`\\b(${['TO', 'FIX', 'HA', 'XX'].map((a, i) => a + ['DO', 'ME', 'CK', 'X'][i]).join('|')})\\b`,
);
const issueNumber = /\bissue #?\d+|(?<![\w&])#\d{1,5}\b/i;
const codeLine =
	/^(?:(?:const|let|var|import|export|return|await|throw|if \(|for \(|while \(|function |\})(?:.*)[;{}]$|[\w.]+\(.*\);$|[\w.[\]]+ \+?= .*;$|\};?$)/;

/** What the comments of one file show. */
export function commentFindings(source: Source): readonly Finding[] {
	const found: Finding[] = [];
	for (const comment of commentsOf(source)) {
		comment.text.split('\n').forEach((line, index) => {
			const report = (rule: string, message: string) =>
				found.push({ path: source.path, line: lineAt(source.text, comment.at) + index, rule, message });
			const words = line.replace(/^\s*(\/\/|\/?\*+\/?)?\s?/, '').trim();
			if (markers.test(words)) report('marker', 'finish it, or write it down where work is planned');
			if (issueNumber.test(words)) report('issue-number', 'a comment says why by itself; numbers lead elsewhere');
			if (comment.kind === 'line' && codeLine.test(words)) report('dead-code', 'delete it: git remembers');
		});
	}
	return found;
}

/** Comments lie outside all literals, so `//` and an opening of a block there is one. */
function commentsOf({ text, tree }: Source): readonly Comment[] {
	const literals: { from: number; to: number }[] = [];
	for (const node of nodesOf(tree)) {
		const isLiteral =
			isStringLiteral(node) ||
			isNoSubstitutionTemplateLiteral(node) ||
			isTemplateHead(node) ||
			isTemplateMiddle(node) ||
			isTemplateTail(node) ||
			isRegularExpressionLiteral(node);
		if (isLiteral) literals.push({ from: node.getStart(), to: node.end });
	}
	literals.sort((a, b) => a.from - b.from);
	const comments: Comment[] = [];
	const opening = /\/\/|\/\*/g;
	for (let match = opening.exec(text); match; match = opening.exec(text)) {
		const at = match.index;
		const literal = literals.find(({ from, to }) => from <= at && at < to);
		if (literal) {
			opening.lastIndex = literal.to;
			continue;
		}
		const isLine = match[0] === '//';
		const found = isLine ? text.indexOf('\n', at) : text.indexOf('*/', at + 2) + 2;
		const end = found < at + 2 ? text.length : found;
		comments.push({ text: text.slice(at, end), at, kind: isLine ? 'line' : 'block' });
		opening.lastIndex = end;
	}
	return comments;
}

const homes = ['home', 'root', 'Users', 'mnt', 'workspace', 'work', 'lab'].join('|');
const machinePath = new RegExp(`(?:^|[\\s"'\`(=])/(?:${homes})/[\\w.-]`);
const british: Readonly<Record<string, string>> = {
	['colo' + 'ur']: 'color',
	['behavio' + 'ur']: 'behavior',
	['lice' + 'nce']: 'license',
	['hono' + 'ur']: 'honor',
	['neighbo' + 'ur']: 'neighbor',
};
const britishWord = new RegExp(`\\b(${Object.keys(british).join('|')})`, 'i');

/** What any text file shows, documents and data too. */
export function lineFindings(path: string, text: string): readonly Finding[] {
	const found: Finding[] = [];
	text.split('\n').forEach((content, index) => {
		const report = (rule: string, message: string) => found.push({ path, line: index + 1, rule, message });
		if (machinePath.test(content)) report('machine-path', 'a path of one machine means nothing on another');
		const word = britishWord.exec(content)?.[1]?.toLowerCase();
		// Tests quote what people type.
		if (word !== undefined && !isTest(path))
			report('spelling', `write "${british[word]}": one spelling finds everything`);
	});
	return found;
}
