import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nextIdx, rememberIssued } from './issued-numbers.ts';

const evt = 'lantern-2026';
let dir: string;

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'stileward-issued-'));
	await writeFile(join(dir, 'issued.json'), '{}');
});

afterEach(() => rm(dir, { recursive: true, force: true }));

/** Another program that reserves numbers and prints the first of each batch. */
function otherProgram(batches: number, count: number): { first: Promise<number[]>; kill: () => void } {
	const script = `
		const { rememberIssued } = await import(${JSON.stringify(new URL('issued-numbers.ts', import.meta.url).href)});
		for (let i = 0; i < ${batches}; i++) console.log(await rememberIssued(${JSON.stringify(dir)}, { evt: '${evt}', count: ${count} }));
	`;
	const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const first = new Promise<number[]>((resolve, reject) => {
		let text = '';
		child.stdout.on('data', (chunk) => {
			text += chunk;
		});
		child.once('error', reject);
		child.once('close', () => resolve(text.trim().split('\n').filter(Boolean).map(Number)));
	});
	return { first, kill: () => child.kill('SIGKILL') };
}

test('four programs at once never share a number', async () => {
	const programs = Array.from({ length: 3 }, () => otherProgram(10, 7).first);
	const own = Promise.all(Array.from({ length: 10 }, () => rememberIssued(dir, { evt, count: 7 })));
	const firsts = (await Promise.all([...programs, own])).flat().sort((a, b) => a - b);
	expect(firsts).toEqual(Array.from({ length: 40 }, (_, i) => i * 7));
	expect(await nextIdx(dir, evt)).toBe(280);
});

test('a program killed while it reserves leaves no lock and a whole record', async () => {
	const program = otherProgram(100_000, 1);
	while ((await nextIdx(dir, evt)) < 5) await new Promise((done) => setImmediate(done));
	program.kill();
	const printed = await program.first;
	const first = await rememberIssued(dir, { evt, count: 1 });
	expect(first).toBeGreaterThan(printed.at(-1) ?? -1);
	expect(JSON.parse(await readFile(join(dir, 'issued.json'), 'utf8'))).toEqual({ [evt]: first });
});
