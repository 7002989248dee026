import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { WorldResult } from './run-world.ts';
import { runWorlds } from './worlds.ts';

async function worlds(firstSeed: number, count: number, workers: number): Promise<readonly WorldResult[]> {
	const results: WorldResult[] = [];
	await runWorlds({ firstSeed, count, workers, wantsStories: true, onWorld: (result) => results.push(result) });
	return results.sort((a, b) => a.seed - b.seed);
}

function simulate(...args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
	return new Promise((resolve) => {
		const program = fileURLToPath(new URL('simulate.ts', import.meta.url));
		const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
		let output = '';
		child.stdout.on('data', (text: Buffer) => {
			output += text.toString();
		});
		child.on('close', (code) => resolve({ code, output }));
	});
}

test('a world is the same for the same seed, whichever worlds its process ran before, and another for another', async () => {
	const together = await worlds(11, 3, 1);
	const alone = await worlds(12, 1, 1);
	expect(alone[0]?.story).toEqual(together[1]?.story);
	expect(alone[0]?.storyHash).toBe(together[1]?.storyHash);
	expect(new Set(together.map(({ storyHash }) => storyHash)).size).toBe(3);
});

test('worlds are full of what the invariants are about', async () => {
	const figures = (await worlds(1, 12, 2)).map((world) => world.figures);
	const sum = (of: (each: WorldResult['figures']) => number) => figures.reduce((total, each) => total + of(each), 0);
	expect(sum(({ passages }) => passages)).toBeGreaterThan(50);
	expect(sum(({ doubles }) => doubles)).toBeGreaterThan(2);
	expect(sum(({ crashes }) => crashes)).toBeGreaterThan(5);
});

test('the story of a world is told in words when it is asked for, and as JSON', async () => {
	const told = await simulate('--worlds', '1', '--seed', '7', '--story');
	expect(told.output).toMatch(/gate-1 .*its program runs/);
	expect(told.output).toMatch(/a visitor presents T\d+/);
	expect(told.output).toMatch(/the doors close, everything works again/);
	const { code, output } = await simulate('--worlds', '1', '--seed', '7', '--json');
	const document = JSON.parse(output) as { worlds: number; broken: unknown[]; stories: { storyHash: string }[] };
	expect(document).toMatchObject({ worlds: 1, seed: 7, broken: [] });
	expect(told.output).toContain(document.stories[0]?.storyHash.slice(0, 16) ?? 'a hash');
	expect([told.code, code]).toEqual([0, 0]);
});

test('a wrong command line is refused with the usage', async () => {
	const { code, output } = await simulate('--worlds', 'many');
	expect(code).toBe(2);
	expect(output).toContain('npm run simulate --');
});
