import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportFindings } from './tidy/export-rules.ts';
import type { Finding } from './tidy/finding.ts';
import { driverFiles, importFindings } from './tidy/import-rules.ts';
import { parse } from './tidy/parse.ts';
import { pathFindings } from './tidy/path-rules.ts';
import { processFindings } from './tidy/process-rules.ts';
import { projectFindings } from './tidy/project-rules.ts';
import { syntaxFindings } from './tidy/syntax-rules.ts';
import { commentFindings, lineFindings } from './tidy/text-rules.ts';

/**
 * Judges files by the house rules that compiler and linter do not hold. `files` maps paths, relative to the
 * repository, to texts. Findings come sorted by path and line.
 */
export function tidy(files: ReadonlyMap<string, string>): readonly Finding[] {
	const sources = parse(files);
	const drivers = driverFiles(sources);
	const found = [
		...pathFindings([...files.keys()]),
		...projectFindings(files),
		...exportFindings(sources),
		...processFindings(sources),
		...sources.flatMap((source) => [
			...syntaxFindings(source),
			...commentFindings(source),
			...importFindings(source, drivers),
		]),
		...[...files].flatMap(([path, text]) => lineFindings(path, text)),
	];
	return found.sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line);
}

const unread = new Set(['node_modules', 'var', 'coverage', 'vectors', 'LICENSE', 'package-lock.json']);
const readable = /\.(tsx?|mjs|json|md|ya?ml|css|html|svg|service|rules)$|\/run$|^\.ci\//;

/** The texts of a folder: sources, documents and data, without what is installed or built. */
export function readTree(root: string): ReadonlyMap<string, string> {
	const files = new Map<string, string>();
	const visit = (folder: string) => {
		for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
			const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
			const isHidden = entry.name.startsWith('.') && entry.name !== '.ci';
			if (unread.has(entry.name) || isHidden) continue;
			if (entry.isDirectory()) visit(path);
			else if (readable.test(path)) files.set(path, readFileSync(join(root, path), 'utf8'));
		}
	};
	visit('');
	return files;
}

if (import.meta.main) {
	const findings = tidy(readTree(fileURLToPath(new URL('..', import.meta.url))));
	for (const { path, line, rule, message } of findings) {
		process.stdout.write(`${line > 0 ? `${path}:${line}` : path}  ${rule}  ${message}\n`);
	}
	process.stdout.write(`tidy: ${findings.length === 0 ? 'nothing to say' : `${findings.length} findings`}\n`);
	process.exitCode = findings.length === 0 ? 0 : 1;
}
