import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readTree, tidy } from './tidy.ts';

/** What one file, alone in the tree, breaks: `rule` or `rule:line`. */
function broken(path: string, text: string): readonly string[] {
	return tidy(new Map([[path, text]]))
		.filter((finding) => finding.path === path && finding.rule !== 'dead-export')
		.map(({ rule, line }) => (line > 0 ? `${rule}:${line}` : rule));
}

function imports(path: string, target: string): readonly string[] {
	return broken(path, `import { a } from '${target}';\na();\n`);
}

describe('import directions', () => {
	it.each([
		['gate-agent/core/decide.ts', '../serial/serial-port.ts'],
		['gate-agent/core/decide.ts', 'node:fs'],
		['gate-agent/core/decide.ts', 'fs'],
		['gate-agent/core/decide.ts', 'pino'],
		['gate-agent/core/decide.test.ts', '../../scripts/stileward.ts'],
		['gate-agent/relays/serial-lcus.ts', '../scanners/serial-line.ts'],
		['gate-agent/ledger/sqlite-ledger.ts', '../agent.ts'],
		['gate-agent/agent.ts', '../scripts/start.ts'],
		['gate-agent/display/page/main.ts', '../http-server.ts'],
		['gate-agent/display/page/main.ts', 'jose'],
	])('refuses %s → %s', (path, target) => {
		expect(imports(path, target)).toEqual(['import-direction:1']);
	});

	it.each([
		['gate-agent/core/decide.ts', './policy.ts'],
		['gate-agent/core/verify.ts', 'jose'],
		['gate-agent/core/hash.ts', '@noble/hashes/sha2.js'],
		['gate-agent/relays/serial-lcus.ts', '../core/device.ts'],
		['gate-agent/relays/serial-lcus.ts', '../serial/serial-port.ts'],
		['gate-agent/relays/serial-lcus.test.ts', '../emulators/pty.ts'],
		['gate-agent/agent.ts', './ledger/sqlite-ledger.ts'],
		['scripts/start.ts', '../gate-agent/main.ts'],
		['scripts/start.ts', 'node:fs'],
	])('allows %s → %s', (path, target) => {
		expect(imports(path, target)).toEqual([]);
	});

	it('sees imports by type and by call', () => {
		const text = "type P = import('../serial/a.ts').P;\nexport {};\nawait import('../serial/b.ts');\nlet p: P;\n";
		expect(broken('gate-agent/core/a.ts', text)).toEqual([
			'import-direction:1',
			'import-direction:3',
			'module-state:4',
		]);
	});

	it('refuses a heavy package in a program beside the agent, also through another file, but not as a type', () => {
		const rules = (shared: string) =>
			tidy(
				new Map([
					['gate-agent/hid/hid-process.ts', "import { a } from './shared.ts';\na();\n"],
					['gate-agent/hid/shared.ts', `${shared}\n/** A. */\nexport function a() {}\n`],
				]),
			)
				.filter(({ rule }) => rule === 'heavy-process')
				.map(({ message }) => message.split(':')[0]);
		expect(rules("import Type from 'typebox';")).toEqual(['loads typebox through gate-agent/hid/shared.ts']);
		expect(rules("import type { Static } from 'typebox';")).toEqual([]);
	});

	it('refuses a driver that imports another, and allows what two share', () => {
		const driver = (name: string, from: string) =>
			`import { ${from} } from './${from}.ts';\n/** A board. */\nexport const ${name}: Driver<O, E, Relay> = ${from};\n`;
		const files = new Map([
			['gate-agent/relays/a.ts', driver('a', 'b')],
			['gate-agent/relays/b.ts', driver('b', 'coils')],
			['gate-agent/relays/coils.ts', '/** Coils. */\nexport const coils = 1;\n'],
		]);
		const wrong = tidy(files).filter(({ rule }) => rule === 'import-direction');
		expect(wrong.map(({ path, line }) => `${path}:${line}`)).toEqual(['gate-agent/relays/a.ts:1']);
	});
});

describe('projects', () => {
	const project = (references: readonly string[], types: readonly string[] = []) =>
		JSON.stringify({ compilerOptions: { types }, references: references.map((path) => ({ path })) });

	it('refuses a reference that the table of rooms does not know', () => {
		expect(broken('gate-agent/ledger/tsconfig.json', project(['../core', '../relays']))).toEqual([
			'project-references',
		]);
	});

	it('allows the references of the table', () => {
		expect(
			broken('gate-agent/relays/tsconfig.json', project(['../../gate-agent/core', '../serial'], ['node'])),
		).toEqual([]);
	});

	it('refuses types of Node in the core', () => {
		expect(broken('gate-agent/core/tsconfig.json', project([], ['node']))).toEqual(['project-references']);
	});

	it('refuses a project that is no room', () => {
		expect(broken('gate-agent/cloud/tsconfig.json', project([]))).toEqual(['project-references']);
	});
});

describe('the core', () => {
	it.each([
		'Date.now()',
		'new Date()',
		'Math.random()',
		'fetch(url)',
		'process.pid',
		'setTimeout(done, 5)',
		'performance.now()',
		'globalThis.crypto',
	])('may not say %s', (expression) => {
		expect(broken('gate-agent/core/a.ts', `const a = ${expression};\nuse(a);\n`)).toEqual(['core-purity:1']);
	});

	it('may name a field like a global, and may compute', () => {
		const text = 'use({ fetch: 1, process: Math.max(1, 2) }, transport.fetch);\n';
		expect(broken('gate-agent/core/a.ts', text)).toEqual([]);
	});

	it('may be tested with a clock', () => {
		expect(broken('gate-agent/core/a.test.ts', 'use(Date.now());\n')).toEqual([]);
	});
});

describe('the environment', () => {
	it('is read by config.ts and main.ts only', () => {
		const text = 'use(process.env.HOME, process.env);\n';
		expect(broken('gate-agent/logger.ts', text)).toEqual(['environment:1', 'environment:1']);
		expect(broken('gate-agent/config.ts', text)).toEqual([]);
		expect(broken('gate-agent/main.ts', text)).toEqual([]);
	});
});

describe('sizes', () => {
	it('hold a file to 400 lines', () => {
		expect(broken('scripts/a.ts', 'use(1);\n'.repeat(400))).toEqual([]);
		expect(broken('scripts/a.ts', 'use(1);\n'.repeat(401))).toEqual(['file-length:1']);
	});

	it('hold a function to 70 lines, in whatever form it is written', () => {
		const body = (lines: number) => `{\n${'\tuse(1);\n'.repeat(lines - 2)}}`;
		for (const head of ['function a() ', 'const a = () => ', 'const a = function () ', 'class A { b() ']) {
			const end = head.startsWith('class') ? ' }\nuse(A);\n' : '\nuse(a);\n';
			expect(broken('scripts/a.ts', `${head}${body(70)}${end}`)).toEqual([]);
			expect(broken('scripts/a.ts', `${head}${body(71)}${end}`)).toEqual(['function-length:1']);
		}
	});

	it('count a chapter of a test by its tests', () => {
		const chapter = `describe('a', () => {\n${'\tuse(1);\n'.repeat(100)}});\n`;
		expect(broken('scripts/a.test.ts', chapter)).toEqual([]);
	});

	it('hold parameters to three', () => {
		expect(broken('scripts/a.ts', 'function a(b, c, d) {}\nuse(a);\n')).toEqual([]);
		expect(broken('scripts/a.ts', 'function a(this: X, b, c, d) {}\nuse(a);\n')).toEqual([]);
		expect(broken('scripts/a.ts', 'function a(b, c, d, e) {}\nuse(a);\n')).toEqual(['parameters:1']);
		expect(broken('scripts/a.test.ts', "it.each(rows)('a', (b, c, d, e) => {});\n")).toEqual([]);
		expect(broken('scripts/a.ts', 'interface A {\n\tb(c: 1, d: 2, e: 3, f: 4): void;\n}\n')).toEqual(['parameters:2']);
	});
});

describe('forms', () => {
	it.each([
		['export default 1;', ['no-default-export:1']],
		['export default function a() {}', ['no-default-export:1', 'docstring:1']],
		['enum A { B }', ['no-enum:1']],
		['namespace A { use(1); }', ['no-namespace:1']],
		['class A { constructor(private readonly b: number) {} }', ['no-parameter-property:1']],
		["export * from './b.ts';", ['no-barrel:1']],
		["export { b } from './b.ts';", ['no-barrel:1']],
		["export { b } from './b.ts';\nuse(1);", []],
		["export * from './b.ts';\nuse(1);", ['no-barrel:1']],
		['let count = 0;', ['module-state:1']],
		['const seen = new Map();', ['module-state:1']],
		["const names = new Set(['a']);", []],
	])('%s', (text, rules) => {
		expect(broken('scripts/a.ts', `${text}\n`)).toEqual(rules);
	});

	it('ask a docstring of every export', () => {
		for (const text of ['function a() {}', 'const a = 1;', 'interface A {}', 'type A = 1;', 'class A {}']) {
			expect(broken('scripts/a.ts', `export ${text}\n`)).toEqual(['docstring:1']);
			expect(broken('scripts/a.ts', `// no docstring\nexport ${text}\n`)).toEqual(['docstring:2']);
			expect(broken('scripts/a.ts', `/** Says what it is. */\nexport ${text}\n`)).toEqual([]);
		}
	});

	it('ask one docstring of a function with several signatures', () => {
		const text = '/** Doubles. */\nexport function a(b: 1): 2;\nexport function a(b: 2): 4;\n';
		expect(broken('scripts/a.ts', text)).toEqual([]);
	});

	it.each(['vi.mock', 'it.only', 'describe.skip', 'test.todo'])('refuse %s in a test', (call) => {
		expect(broken('scripts/a.test.ts', `${call}('a', () => {});\n`)).toEqual(['test-honesty:1']);
	});
});

describe('names', () => {
	it.each(['utils.ts', 'types.ts', 'date-helpers.ts', 'lane-manager.ts', 'common.ts', 'Lane.ts', 'lane_state.ts'])(
		'refuse %s',
		(name) => {
			expect(broken(`scripts/${name}`, 'use(1);\n')).toEqual(['file-name']);
		},
	);

	it.each([
		'lane-state.ts',
		'lane-state.test.ts',
		'lane.property.test.ts',
		'device.suite.ts',
		'web.d.ts',
		'x509.ts',
		'strip-types.ts',
	])('allow %s', (name) => {
		expect(broken(`scripts/${name}`, 'use(1);\n')).toEqual([]);
	});
});

describe('comments', () => {
	const marker = 'TO' + 'DO';

	it.each([
		[`// ${marker}: later`, 'marker:1'],
		['// const a = 1;', 'dead-code:1'],
		['// return open(gate);', 'dead-code:1'],
		['// gate.open(1);', 'dead-code:1'],
		['// }', 'dead-code:1'],
		['// see issue 12', 'issue-number:1'],
		['/* fixed in #12 */', 'issue-number:1'],
	])('refuse %s', (text, rule) => {
		expect(broken('scripts/a.ts', `${text}\nuse(1);\n`)).toEqual([rule]);
	});

	it.each([
		'// Return what is left; the board forgets it.',
		'// https://example.com/manual',
		`use('// ${marker}', \`/* const a = \${1}; \`, /[/*]/);`,
		'/** @example\n * const a = open(gate);\n */',
	])('allow %s', (text) => {
		expect(broken('scripts/a.ts', `${text}\nuse(1);\n`)).toEqual([]);
	});
});

describe('documents', () => {
	it('name no path of one machine', () => {
		for (const home of ['home', 'Users', 'root']) {
			expect(broken('scripts/README.md', `Run\n\`/${home}/me/x\`\n`)).toEqual(['machine-path:2']);
		}
		expect(broken('scripts/README.md', 'See https://example.com/home/x and /dev/ttyUSB0.\n')).toEqual([]);
	});

	it('have one spelling', () => {
		expect(broken('scripts/README.md', `A ${'colo' + 'ur'}.\n`)).toEqual(['spelling:1']);
		expect(broken('scripts/a.test.ts', `use('${'colo' + 'ur'}');\n`)).toEqual([]);
	});

	it('explain every room', () => {
		const found = tidy(new Map([['gate-agent/relays/a.ts', 'use(1);\n']]));
		expect(found.map(({ path, rule }) => `${path} ${rule}`)).toContain('gate-agent/relays/README.md readme');
	});
});

describe('exports', () => {
	const dead = (files: Record<string, string>) =>
		tidy(new Map(Object.entries(files)))
			.filter(({ rule }) => rule === 'dead-export')
			.map(({ path, line }) => `${path}:${line}`);

	it('are used by somebody', () => {
		const a = '/** A. */\nexport const a = 1;\n/** B. */\nexport function b() {}\n';
		expect(dead({ 'scripts/a.ts': a })).toEqual(['scripts/a.ts:2', 'scripts/a.ts:4']);
		expect(dead({ 'scripts/a.ts': a, 'scripts/c.ts': "import { a } from './a.ts';\n" })).toEqual(['scripts/a.ts:4']);
		expect(dead({ 'scripts/a.ts': a, 'scripts/c.ts': "const c = await import('./a.ts');\n" })).toEqual([]);
		expect(dead({ 'scripts/a.ts': a, 'scripts/a.test.ts': "import { b, a as c } from './a.ts';\n" })).toEqual([]);
	});

	it('may be parts of another export', () => {
		const text = '/** A. */\nexport interface A {}\n/** B. */\nexport const b: A = {};\n';
		expect(dead({ 'scripts/a.ts': text })).toEqual(['scripts/a.ts:4']);
	});
});

describe('this repository', () => {
	it('is tidy', () => {
		const found = tidy(readTree(fileURLToPath(new URL('..', import.meta.url))));
		expect(found.map(({ path, line, rule, message }) => `${path}:${line} ${rule} ${message}`)).toEqual([]);
	});
});
