import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseConfig } from './config-source.ts';
import { judgePushed } from './pushed-config.ts';

const own = parseConfig(
	'gate.yaml',
	`
data: /var/lib/gate
keys: /keys
event: lantern-2026
http: { host: 127.0.0.1, port: 8480 }
venue: { timeZone: Asia/Shanghai, claimMs: 600 }
lanes:
  - id: old
    scanner: { driver: serial-line, path: /dev/old }
    relay: { driver: serial-lcus, path: /dev/relay }
`,
	['log.level=debug'],
);

const lanes = `
lanes:
  - id: lane-1
    mode: exit
    scanner: { driver: serial-line, path: /dev/scanner }
    relay: { driver: serial-lcus, path: /dev/relay }
`;

const judge = (text: string, gate = 'gate-1') => judgePushed(own, { version: 3, sha256: '', text }, gate);

/** Depth at which parsers and checks that call themselves have run out of their stack. */
const tooDeep = 30_000;

describe('a pushed configuration', () => {
	it('takes the place of the parts of the file that it has, whole, and leaves the others', () => {
		const judged = judge(`${lanes}agent: gate-1\n`);
		if (judged.kind === 'invalid') throw new Error(judged.why);
		const { agent, dataDir, keysDir, http, claimBudgetMs, logLevel } = judged.config;
		expect({ agent, dataDir, keysDir, http, claimBudgetMs, logLevel }).toEqual({
			...{ agent: 'gate-1', dataDir: '/var/lib/gate', keysDir: '/keys' },
			...{ http: { enabled: true, host: '127.0.0.1', port: 8480 }, claimBudgetMs: 600, logLevel: 'debug' },
		});
		expect(judged.config.lanes.map(({ lane }) => [lane.id, lane.mode])).toEqual([['lane-1', 'exit']]);
		const patient = judge(`${lanes}venue: { startMs: 900 }\nlog: { level: warn }\n`);
		expect(patient).toMatchObject({ config: { claimBudgetMs: 150, startWaitMs: 900, logLevel: 'warn' } });
	});

	it.each([
		['data: /elsewhere', '"data"'],
		['keys: /keys', '"keys"'],
		['event: opera', '"event"'],
		['classes: {}', '"classes"'],
		['http: { host: 0.0.0.0 }', '"http"'],
		['constructor: { prototype: 1 }', '"constructor"'],
		['__proto__: { data: /elsewhere }', '"__proto__"'],
		['agent: gate-2', 'agent: must be "gate-1"'],
		['agent: [gate-1]', 'agent: must be "gate-1"'],
		['venue: { timeZone: Mars/Olympus }', 'venue.timeZone'],
		['venue: { claimMs: 99999999 }', 'venue.claimMs'],
		['log: { level: loud }', 'log.level'],
		['venue: null', 'venue'],
		['lanes: []', 'Map keys must be unique'],
	])('with `%s` is refused, and the reason names it', (part, why) => {
		expect(judge(`${lanes}${part}\n`)).toEqual({ kind: 'invalid', why: expect.stringContaining(why) });
	});

	it.each([
		['nothing', ''],
		['a number', '42'],
		['a list', '- lanes'],
		['bytes that are no text', '\u0000\u0001\ufffd'],
		['no lanes', 'venue: {}'],
		['lanes without end', 'lanes: ['],
		['lanes that are nested too deep', `lanes: ${'['.repeat(tooDeep)}`],
		['lanes that are nested too deep and whole', `lanes: ${'['.repeat(tooDeep)}${']'.repeat(tooDeep)}`],
		['maps that are nested too deep', `lanes: ${'{a: '.repeat(tooDeep)}1${'}'.repeat(tooDeep)}`],
		['sequences that are nested too deep', `lanes:\n${'- '.repeat(tooDeep)}1`],
		['keys that are nested too deep', `${'? '.repeat(tooDeep)}1`],
		['brackets over many lines', `lanes: ${'[\n'.repeat(tooDeep)}`],
		['a lane that contains itself', 'lanes: &a [*a]'],
		[
			'anchors that multiply',
			`log: &a [${'x,'.repeat(9)}]\nvenue: &b [${'*a,'.repeat(99)}]\nlanes: [${'*b,'.repeat(99)}]`,
		],
		['an unknown model', lanes.replace('driver: serial-line', 'model: ../../etc/passwd')],
		['a driver of the prototype', lanes.replace('serial-line', '__proto__')],
		['a driver called constructor', lanes.replace('serial-line', 'constructor')],
		['two relays of one channel', `${lanes}${lanes.replace('lanes:', '').replace('lane-1', 'lane-2')}`],
		['a tag that would make an object', 'lanes: !!js/function "() => 1"'],
		['a merge key', 'lanes: [{ <<: { id: x } }]'],
		['seventeen lanes', `lanes: [${'{ id: x },'.repeat(17)}]`],
	])('that is %s is refused and never throws', (_what, text) => {
		expect(judge(text)).toEqual({ kind: 'invalid', why: expect.stringMatching(/./) });
	});

	it('whatever it is, is refused or leaves what is the box’s own', () => {
		const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.double());
		const part = fc.constantFrom('lanes', 'venue', 'log', 'agent', 'data', 'http', 'keys', '__proto__', 'toString');
		const value = fc.object({ key: fc.oneof(part, fc.string()), values: [scalar], maxDepth: 4 });
		const broken = fc.tuple(fc.nat(lanes.length), fc.string({ maxLength: 12 }), fc.nat(8));
		const text = fc.oneof(
			fc.string({ unit: 'binary', maxLength: 200 }),
			fc.dictionary(part, fc.oneof(value, scalar)).map((each) => stringify(each)),
			broken.map(([at, put, length]) => `${lanes.slice(0, at)}${put}${lanes.slice(at + length)}`),
		);
		fc.assert(
			fc.property(text, (each) => {
				const judged = judge(each);
				if (judged.kind === 'invalid') expect(judged.why).not.toBe('');
				else expect(judged.config).toMatchObject({ dataDir: '/var/lib/gate', keysDir: '/keys', http: { port: 8480 } });
			}),
			{ numRuns: 500 },
		);
	});
});
