import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rooms } from './tidy/rooms.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
let copy: string;

// The real projects over small files: what is judged here is what each folder may see, not what is in it.
beforeEach(() => {
	copy = mkdtempSync(join(tmpdir(), 'stileward-projects-'));
	cpSync(join(root, 'tsconfig.base.json'), join(copy, 'tsconfig.base.json'));
	cpSync(join(root, 'package.json'), join(copy, 'package.json'));
	symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
	cpSync(join(root, 'gate-agent/core/web.d.ts'), join(copy, 'gate-agent/core/web.d.ts'));
	for (const room of Object.keys(rooms).filter((each) => existsSync(join(root, each, 'tsconfig.json')))) {
		mkdirSync(join(copy, room), { recursive: true });
		cpSync(join(root, room, 'tsconfig.json'), join(copy, room, 'tsconfig.json'));
		writeFileSync(join(copy, room, 'thing.ts'), '/** A thing. */\nexport const thing = 1;\n');
	}
});

afterEach(() => rmSync(copy, { recursive: true, force: true }));

/** The codes of the compiler's errors when `room` holds a file with this text. */
function errorsOf(room: string, text: string): readonly string[] {
	const file = join(copy, room, 'newcomer.ts');
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, text);
	const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', room], {
		cwd: copy,
		encoding: 'utf8',
	});
	const codes = tsc.stdout.match(/error (TS\d+)/g) ?? [];
	expect(tsc.status === 0, tsc.stdout + tsc.stderr).toBe(codes.length === 0);
	return [...new Set(codes.map((code) => code.replace('error ', '')))];
}

/** TS6307: the file belongs to a project that this one does not reference. */
const notReferenced = 'TS6307';

function importing(room: string): string {
	return `import { thing } from '${room}/thing.ts';\n/** Passes it on. */\nexport const other: number = thing;\n`;
}

describe('the compiler', () => {
	it.each([
		['gate-agent/core', '../serial'],
		['gate-agent/core', '../ledger'],
		['gate-agent/relays', '../scanners'],
		['gate-agent/scanners', '../relays'],
		['gate-agent/inputs', '../relays'],
		['gate-agent/ledger', '../relays'],
		['gate-agent/serial', '../relays'],
		['gate-agent/display/page', '..'],
		['gate-agent/display', '../ledger'],
		['gate-agent', '../scripts'],
	])('refuses that %s imports %s', (room, other) => {
		expect(errorsOf(room, importing(other))).toContain(notReferenced);
	});

	it('refuses an import of a type just as one of a value', () => {
		const text = "/** A type. */\nexport type T = typeof import('../serial/thing.ts').thing;\n";
		expect(errorsOf('gate-agent/core', text)).toContain(notReferenced);
	});

	it.each([
		['gate-agent/relays', '../core'],
		['gate-agent/relays', '../serial'],
		['gate-agent', './ledger'],
		['scripts', '../gate-agent'],
	])('lets %s import %s', (room, other) => {
		expect(errorsOf(room, importing(other))).toEqual([]);
	});

	it.each([
		['process.pid', 'TS2591'],
		["Buffer.from('a')", 'TS2591'],
		['document.title', 'TS2584'],
		["fetch('https://example.com')", 'TS2304'],
		['setTimeout(() => {}, 1)', 'TS2304'],
		["(await import('node:fs')).constants", 'TS2591'],
	])('refuses %s in the core', (expression, code) => {
		expect(errorsOf('gate-agent/core', `/** A value. */\nexport const value: unknown = ${expression};\n`)).toEqual([
			code,
		]);
	});

	it('lets the core use what every runtime has', () => {
		const text =
			'/** Bytes. */\nexport const bytes: number = new TextEncoder().encode(String(Math.max(1, 2))).length;\n';
		expect(errorsOf('gate-agent/core', text)).toEqual([]);
	});

	it('refuses the DOM in a driver and lets it have Node', () => {
		expect(errorsOf('gate-agent/relays', '/** Id. */\nexport const id: number = process.pid;\n')).toEqual([]);
		expect(errorsOf('gate-agent/relays', '/** A. */\nexport const a: unknown = document.title;\n')).toEqual(['TS2584']);
	});
});
