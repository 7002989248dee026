import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GuestKernel } from './kernel.ts';
import { type LossyDisk, liveOn, openLossyDisk } from './lossy-disk.ts';
import { startMachine } from './machine.ts';

/** One life that ended with a power cut, and what the next one found. */
export interface CutResult {
	readonly name: string;
	readonly seed: number;
	/** Redemptions whose commit the program had reported, and those of them that were found and were not. */
	readonly acknowledged: number;
	readonly kept: number;
	readonly lost: number;
	/** Writes that the disk had taken and not yet kept. */
	readonly unflushed: number;
	/** The disk had something to forget, and the ledger lost nothing; a control lost something. */
	readonly held: boolean;
}

/** What power cuts need. */
export interface CutOptions {
	readonly kernel: GuestKernel;
	readonly initramfs: string;
	readonly image: string;
	/** Cuts of the ledger; the controls come beside them. */
	readonly rounds: number;
	readonly seed: number;
	readonly say: (text: string) => void;
}

/** A boot takes about ten seconds here, many times that on a busy machine. */
const lifeLimitMs = 5 * 60_000;

/** Redemptions between the start of the program and the cut. */
const [leastRedemptions, mostRedemptions] = [20, 220];

/** A commit is a few writes: the power fails with one of so many, while it is in the disk's cache alone. */
const writesMost = 12;

/**
 * What redeems until it dies, and tells what is there. `no_barrier` is the ledger on a file system that never flushes the disk,
 * `normal` a table with `synchronous=NORMAL`: both are controls.
 */
type Program = 'ledger' | 'no_barrier' | 'normal';

/**
 * Cuts the power of a machine that redeems tickets, on an ext4 file system on a disk that forgets what was not flushed:
 * every commit that was acknowledged before must be found by the next start. The power fails with a write that the disk has in
 * its cache alone. Two controls must lose acknowledged rows, or the proof proves nothing: the same ledger where the file system
 * never flushes, which shows that the disk forgets, and a table with `synchronous=NORMAL`.
 */
export async function cutPower({ rounds, seed, ...options }: CutOptions): Promise<readonly CutResult[]> {
	const results: CutResult[] = [];
	for (let round = 0; round < rounds; round += 1) {
		// Losing everything and losing any part of it are different tests of the file system's journal.
		const share = round % 2 === 0 ? 0.5 : 0;
		results.push(await cutOnce(options, { program: 'ledger', seed: seed + round, share }));
	}
	for (const [at, program] of (['no_barrier', 'normal'] as const).entries()) {
		results.push(await cutOnce(options, { program, seed: seed + rounds + at, share: 0 }));
	}
	return results;
}

/** Exit codes, without their high bit, of a program that crashed: SIGILL, SIGABRT, SIGBUS, SIGSEGV. */
const crashCodes: readonly unknown[] = [4, 6, 7, 11];

/** The emulated processor crashed the program: nothing was proven or disproven. */
class Crashed extends Error {}

/** An emulated processor crashes a program now and then: a life that ended so is begun once more. */
async function cutOnce(options: Omit<CutOptions, 'rounds' | 'seed'>, cut: Cut): Promise<CutResult> {
	try {
		return await oneCut(options, cut);
	} catch (error) {
		if (!(error instanceof Crashed)) throw error;
		options.say(`${error.message}: once more`);
		return oneCut(options, cut);
	}
}

interface Cut {
	readonly program: Program;
	readonly seed: number;
	/** How many of the sectors that were not flushed stay all the same. */
	readonly share: number;
}

async function oneCut(options: Omit<CutOptions, 'rounds' | 'seed'>, { program, seed, share }: Cut): Promise<CutResult> {
	const dir = mkdtempSync(join(tmpdir(), 'stileward-cut-'));
	try {
		const random = seededRandom(seed);
		const image = join(dir, 'disk.img');
		execFileSync('truncate', ['-s', '64M', image]);
		execFileSync('/sbin/mkfs.ext4', ['-q', '-F', image]);
		const target = leastRedemptions + Math.floor(random() * (mostRedemptions - leastRedemptions));
		options.say(`${program}, seed ${seed}: cutting the power after ${target} redemptions`);
		const first = openLossyDisk(image, join(dir, 'disk.sock'), () => random() < share);
		const cut = { program, target, cutAfterWrites: 1 + Math.floor(random() * writesMost) };
		const lived = await liveOn(first, (disk) => redeemUntilCut({ ...options, dir, disk }, cut));
		const { unflushed, result: acknowledged } = lived;
		const second = openLossyDisk(image, join(dir, 'disk.sock'), () => true);
		const read = await liveOn(second, (disk) => readAfterCut({ ...options, dir, disk }, program));
		const found = new Set(read.result);
		const kept = acknowledged.filter((idx) => found.has(idx)).length;
		const lost = acknowledged.length - kept;
		const isProven = program === 'ledger' ? lost === 0 : lost > 0;
		const hadToForget = unflushed > 0 || program === 'normal';
		const held = acknowledged.length >= target && hadToForget && isProven;
		return { name: program, seed, acknowledged: acknowledged.length, kept, lost, unflushed, held };
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}

interface Life extends Pick<CutOptions, 'kernel' | 'initramfs' | 'image' | 'say'> {
	readonly dir: string;
	readonly disk: LossyDisk;
}

/** Runs until so many redemptions were reported, then cuts. What was reported until the machine died counts, too. */
async function redeemUntilCut(
	life: Life,
	{
		program,
		target,
		cutAfterWrites,
	}: { readonly program: Program; readonly target: number; readonly cutAfterWrites: number },
): Promise<readonly number[]> {
	const acknowledged: number[] = [];
	const code = await runProgram(life, [program, 'redeem'], (line, cut) => {
		if (!/^\d+$/.test(line)) return;
		acknowledged.push(Number(line));
		if (acknowledged.length !== target) return;
		// What is not committed durably writes nothing for a long time: it is the guest's memory that forgets.
		if (program === 'normal') cut();
		else life.disk.failAfter(cutAfterWrites, cut);
	});
	if (crashCodes.includes(code)) throw new Crashed(`the program crashed before the cut (signal ${code})`);
	if (code !== 'killed') throw new Error(`the guest ended by itself with ${code} before the cut`);
	return acknowledged;
}

/** Tickets that the program finds redeemed. */
async function readAfterCut(life: Life, program: Program): Promise<readonly number[]> {
	const found: number[] = [];
	const code = await runProgram(life, [program, 'read'], (line) => {
		if (/^\d+$/.test(line)) found.push(Number(line));
	});
	if (crashCodes.includes(code)) throw new Crashed(`the program crashed after the cut (signal ${code})`);
	if (code !== 0) throw new Error(`after the cut the program ended with ${code}`);
	return found;
}

async function runProgram(
	{ kernel, initramfs, image, dir, disk, say }: Life,
	args: readonly string[],
	onLine: (line: string, cut: () => void) => void,
): Promise<number | 'killed' | 'limit'> {
	const last: string[] = [];
	const machine = startMachine({
		...{ kernel, initramfs, image, out: dir, run: 'power-cut.sh', args, limitMs: lifeLimitMs, processors: 1 },
		devices: ['-drive', disk.drive, '-device', 'virtio-blk-pci,drive=disk'],
		onLine: (line) => {
			last.push(line);
			onLine(line, () => machine.cut());
		},
	});
	const code = await machine.ended;
	if (code !== 0 && code !== 'killed') for (const line of last.slice(-30)) say(line);
	return code;
}

/** Uniform in [0, 1): mulberry32, so that a seed tells the whole story. */
function seededRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}
