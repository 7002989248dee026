import { type Document, isNode, LineCounter, parse, parseDocument } from 'yaml';
import { nestsTooDeep } from '../sync/protocol/gate-config.ts';
import { StilewardError } from './core/errors.ts';

/** One thing that is wrong with a configuration. `path` is dotted, e.g. `lanes.0.relay.path`. */
export interface Problem {
	readonly path: string;
	readonly message: string;
	readonly fix: string;
}

/** A configuration as plain data, with the place of each of its parts. */
export interface ConfigSource {
	readonly file: string;
	readonly value: unknown;
	/** Where a path stands: `line 12`, `--set`, or nothing for a part that is not written anywhere. */
	readonly lineOf: (path: string) => string | undefined;
}

/** Larger files are not configurations. */
const configBytesMax = 256 * 1024;

/** Parses YAML and applies `path=value` settings. Throws `config_invalid` for text that is not YAML. */
export function parseConfig(file: string, text: string, sets: readonly string[]): ConfigSource {
	if (text.length > configBytesMax) throw problemsError(file, [tooLarge]);
	if (nestsTooDeep(text)) throw problemsError(file, [tooDeep]);
	const lines = new LineCounter();
	const document = inWords(file, () => parseDocument(text, { lineCounter: lines, uniqueKeys: true }));
	if (document.errors.length > 0) {
		throw problemsError(
			file,
			document.errors.map((error) => ({
				path: `line ${lines.linePos(error.pos[0]).line}`,
				message: error.message.split('\n')[0] ?? 'is not YAML',
				fix: 'correct the YAML',
			})),
		);
	}
	const value: unknown = inWords(file, () => plainOf(document)) ?? {};
	const root = typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
	const setPaths = sets.map((set) => applySet(file, root, set));
	return {
		file,
		value: root,
		lineOf: (path) => {
			if (setPaths.some((set) => path === set || path.startsWith(`${set}.`))) return '--set';
			const node = document.getIn(path.split('.'), true);
			return isNode(node) && node.range ? `line ${lines.linePos(node.range[0]).line}` : undefined;
		},
	};
}

function plainOf(document: Document): unknown {
	return document.toJS({ maxAliasCount: 100 });
}

/** The parser throws errors of its own kinds, such as for anchors that multiply. */
function inWords<T>(file: string, work: () => T): T {
	try {
		return work();
	} catch (cause) {
		const message = `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
		throw problemsError(file, [{ path: '', message, fix: 'write it without anchors and without deep nesting' }]);
	}
}

const tooLarge: Problem = { path: '', message: 'is larger than 256 KiB', fix: 'name the right file' };

const tooDeep: Problem = { path: '', message: 'is nested too deep', fix: 'name the right file' };

/** Names that would reach into the prototype of an object instead of into the configuration. */
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

function applySet(file: string, root: Record<string, unknown>, set: string): string {
	const at = set.indexOf('=');
	const path = set.slice(0, at);
	const keys = path.split('.');
	if (at < 1 || keys.some((key) => key === '' || forbiddenKeys.has(key))) {
		const fix = 'write path.to.key=value, e.g. lanes.0.scanner.path=/dev/ttyACM0';
		throw problemsError(file, [{ path: `--set ${set}`, message: 'is not a setting', fix }]);
	}
	let place: Record<string, unknown> = root;
	for (const key of keys.slice(0, -1)) {
		const inner = place[key];
		if (typeof inner !== 'object' || inner === null) place[key] = {};
		place = place[key] as Record<string, unknown>;
	}
	place[keys.at(-1) ?? ''] = scalar(set.slice(at + 1));
	return path;
}

/** A value is YAML, so that numbers and booleans are what they look like; what is not YAML is text. */
function scalar(text: string): unknown {
	try {
		return parse(text) ?? text;
	} catch {
		return text;
	}
}

/** One error for all problems, each on its own line with its place and its fix. */
export function problemsError(
	file: string,
	problems: readonly Problem[],
	lineOf: ConfigSource['lineOf'] = () => undefined,
): StilewardError {
	const lines = problems.map(({ path, message, fix }) => {
		const place = lineOf(path);
		return `  ${path}${place ? ` (${place})` : ''} ${message}: ${fix}`;
	});
	const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
	return new StilewardError('config_invalid', `${file}: ${count}\n${lines.join('\n')}`);
}
