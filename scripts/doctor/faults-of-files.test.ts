import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Changes, type GateBench, setUpGate } from './gate-bench.suite.ts';

/** A fault made by hand in the files of a gate that does not run. */
interface FileFault {
	readonly name: string;
	readonly make: (bench: GateBench) => Promise<unknown>;
	/** Codes that are named, and nothing else. */
	readonly faults: readonly string[];
	readonly warnings?: readonly string[];
}

const lane = (over: Readonly<Record<string, unknown>>): Changes => ({ lane: over });

const faults: readonly FileFault[] = [
	{ name: 'no configuration', make: ({ configFile }) => rm(configFile), faults: ['config_missing'] },
	{
		name: 'broken YAML',
		make: async ({ configFile }) => writeFile(configFile, `${await readFile(configFile, 'utf8')}\nlanes: [ {id: a\n`),
		faults: ['config_not_yaml'],
	},
	{
		name: 'a misspelled key and a wrong number',
		make: ({ configure }) => configure(lane({ holdOfMs: 5, passageTimeoutMs: -1 })),
		faults: ['config_invalid', 'config_invalid'],
	},
	{
		name: 'scanner and relay on one port',
		make: ({ configure, line }) =>
			configure(lane({ scanner: { driver: 'serial-line', path: line.path }, inputs: undefined })),
		faults: ['config_invalid'],
	},
	{
		name: 'neither a venue nor keys',
		make: ({ configure }) => configure({ gate: { event: undefined, keys: undefined } }),
		faults: ['not_enrolled'],
	},
	{ name: 'keys that were not copied', make: ({ keys }) => rm(join(keys, 'manifest.jws')), faults: ['keys_missing'] },
	{
		name: 'a damaged manifest',
		make: ({ keys }) => writeFile(join(keys, 'manifest.jws'), 'a.b.c'),
		faults: ['keys_invalid'],
	},
	{
		name: 'a private key beside the manifest',
		make: ({ keys }) => copyFile(join(keys, 'root.public.jwk'), join(keys, 'root.private.jwk')),
		faults: [],
		warnings: ['private_key_beside'],
	},
	{ name: 'no data folder', make: ({ data }) => rm(data, { recursive: true }), faults: ['data_missing'] },
	{
		name: 'a damaged ledger',
		make: ({ data }) =>
			writeFile(join(data, 'ledger.db'), 'this is no database, though it is longer than a header of one'),
		faults: ['ledger_damaged'],
	},
	{ name: 'a scanner that is unplugged', make: ({ scanner }) => scanner.pty.unplug(), faults: ['device_absent'] },
	{
		name: 'a path that is no port',
		make: async (bench) => {
			const path = join(bench.dir, 'file');
			await writeFile(path, '');
			await bench.configure(lane({ scanner: { driver: 'grow-gm', path } }));
		},
		faults: ['device_not_a_port'],
	},
	{
		name: 'two at once: unplugged, and a folder of keys that is not there',
		make: async ({ scanner, keys }) => {
			await scanner.pty.unplug();
			await rm(keys, { recursive: true });
		},
		faults: ['device_absent', 'keys_missing'],
	},
	{
		name: 'three at once: an unplugged board, a damaged ledger, no manifest',
		make: async ({ line, data, keys }) => {
			await line.unplug();
			await writeFile(join(data, 'ledger.db'), 'no database');
			await rm(join(keys, 'manifest.jws'));
		},
		faults: ['device_absent', 'device_absent', 'ledger_damaged', 'keys_missing'],
	},
];

describe('the doctor names a fault in the files of a gate, and nothing else', () => {
	it.each(faults.map((fault) => [fault.name, fault] as const))(
		'%s',
		{ timeout: 300_000 },
		async (_, { make, faults, warnings = [] }) => {
			const bench = await setUpGate();
			await make(bench);
			const found = await bench.doctor();
			expect(found.faults).toEqual(faults);
			expect(found.warnings).toEqual(['gate_stopped', ...warnings]);
			expect(found.code).toBe(faults.length > 0 ? 3 : 0);
			for (const finding of found.result.findings.filter(({ state }) => state === 'fault')) {
				expect(finding.fix?.zh).toMatch(/[\u4e00-\u9fff]/);
				expect(finding.fix?.en).toMatch(/[a-z]/);
				for (const text of [finding.fix?.en, finding.what.en]) expect(text).not.toMatch(/[{}]|undefined/);
			}
		},
	);
});

describe('whose rights count', () => {
	it('names a device and a folder that the user of the gate may not use', { timeout: 300_000 }, async () => {
		const bench = await setUpGate();
		await chmod(bench.scanner.path, 0o600);
		await mkdir(bench.data, { recursive: true });
		const found = await bench.doctor('--user', 'nobody');
		// Everything here belongs to whoever runs the tests, and nothing to nobody.
		expect(new Set(found.faults)).toEqual(new Set(['device_not_permitted', 'data_not_permitted']));
		const device = found.result.findings.find(({ code }) => code === 'device_not_permitted');
		expect(device).toMatchObject({ subject: 'lane-1.scanner', evidence: { user: 'nobody', mode: '0600' } });
		expect(device?.fix?.en).toContain('usermod -aG');
	});
});
