import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Scanner } from '../core/device.ts';
import type { Scan } from '../core/scan.ts';
import { replay, replayFrom } from './replay.ts';

let folder: string;
let scans: Scan[];
let scanner: Scanner | undefined;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'stileward-replay-'));
	scans = [];
	scanner = undefined;
});
afterEach(async () => {
	await scanner?.close();
	await rm(folder, { recursive: true });
});

const io = () => ({
	nowMs: () => performance.now(),
	log: () => {},
	onScan: (scan: Scan) => {
		scans.push(scan);
	},
});
const texts = () => scans.map((scan) => (scan.kind === 'code' ? scan.text : `unreadable ${scan.bytes}`));

async function play(content: string, options: { intervalMs?: number; repeat?: boolean } = {}) {
	const path = join(folder, 'codes.txt');
	await writeFile(path, content, 'latin1');
	scanner = await replay.open({ path, intervalMs: 0, repeat: false, ...options }, io());
	expect(scans).toEqual([]);
}

test('presents each line exactly, with its spaces, with any line end', async () => {
	await play('A  B \r\n\n C\n]Q1SW1:D\nlast');
	await expect.poll(texts).toEqual(['A  B ', ' C', 'SW1:D', 'last']);
	expect(scans[2]).toMatchObject({ aim: ']Q1' });
});

test('a line that no scanner could send is unreadable', async () => {
	await play(`${'x'.repeat(1_000_000)}\nGOOD\n`);
	await expect.poll(texts).toEqual(['unreadable 4097', 'GOOD']);
});

test('keeps its interval and can be closed in the middle of it', async () => {
	await play('A\nB\n', { intervalMs: 3_600_000 });
	await expect.poll(texts).toEqual(['A']);
	await scanner?.close();
	await scanner?.close();
});

test('starts again at the end where it is told to', async () => {
	await play('A\nB\n', { repeat: true });
	await expect.poll(() => texts().slice(0, 5)).toEqual(['A', 'B', 'A', 'B', 'A']);
	await scanner?.close();
	const after = scans.length;
	await new Promise((resolve) => setImmediate(resolve));
	expect(scans.length).toBe(after);
});

test.each([
	['a file that is not there', 'missing.txt'],
	['a folder', '.'],
])('%s is an absent device', async (_name, file) => {
	const path = join(folder, file);
	await expect(replay.open({ path, intervalMs: 0, repeat: false }, io())).rejects.toMatchObject({
		code: 'device_absent',
		message: expect.stringContaining(path),
	});
});

test('presents what an async source yields, and is lost when the source fails', async () => {
	async function* source() {
		yield 'A  B';
		throw new Error('the source ended badly');
	}
	scanner = replayFrom(source, { intervalMs: 0, repeat: false }, io());
	expect(await scanner.lost).toMatchObject({ code: 'device_lost' });
	expect(texts()).toEqual(['A  B']);
});
