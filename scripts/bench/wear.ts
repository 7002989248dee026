import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Figure } from './figures.ts';
import { type RunningGate, startGate } from './running-gate.ts';
import { openVenue } from './venue.ts';

/** Visitors behind each other, and visitors who come one by one: after those the write-ahead log is copied back each time. */
const crowds = [
	{ what: 'visitors half a second apart', visitors: 200, everyMs: 500 },
	{ what: 'visitors seven seconds apart', visitors: 20, everyMs: 7_000 },
] as const;
const visitorsQuick = 3;

/** Longer than a lane without a pause leaves its write-ahead log alone. */
const restMs = 7_000;

const settledWithinMs = 20_000;

/**
 * What an admission writes to a disk, counted at the block device under an ext4 of its own: pages of the ledger, of its
 * write-ahead log and of the file system's journal. It is what wears a memory card. Needs root and loop devices.
 */
export const wear: Bench = async ({ dir, quick, say }) => {
	if (process.getuid?.() !== 0) {
		say('left out: it mounts a file system and needs root');
		return [];
	}
	const disk = mountDisk(dir);
	try {
		const venue = await openVenue(dir);
		const total = crowds.reduce((sum, { visitors }) => sum + (quick ? visitorsQuick : visitors), 0);
		const tickets = [...(await venue.tickets(total))];
		const gate = await startGate(disk.path, venue.keys);
		try {
			const figures: Figure[] = [];
			for (const { what, visitors, everyMs } of crowds) {
				const codes = tickets.splice(0, quick ? visitorsQuick : visitors);
				say(`presenting ${codes.length} tickets: ${what}`);
				const before = disk.writtenBytes();
				await present(gate, codes, quick ? crowds[0].everyMs : everyMs);
				await sleep(restMs);
				const value = (disk.writtenBytes() - before) / codes.length / 1000;
				figures.push({ bench: 'wear', what: `written for an admission, ${what}`, value, unit: 'KB' });
			}
			return figures;
		} finally {
			await gate.close();
		}
	} finally {
		disk.unmount();
	}
};

/** Presents codes one by one, each once the one before is settled. */
async function present(gate: RunningGate, codes: readonly string[], everyMs: number): Promise<void> {
	for (const code of codes) {
		const settled = new Promise<void>((resolve, reject) => {
			const late = setTimeout(() => reject(new Error('a valid ticket was not settled')), settledWithinMs);
			gate.onLog(({ event }) => {
				if (event !== 'settled') return;
				clearTimeout(late);
				resolve();
			});
		});
		await gate.scan(code);
		await Promise.all([settled, sleep(everyMs)]);
	}
}

/** An empty ext4 on a loop device, as a box would have one for its ledger. */
function mountDisk(dir: string) {
	const run = (command: string, ...args: readonly string[]) => execFileSync(command, args, { encoding: 'utf8' }).trim();
	const image = join(dir, 'disk.img');
	const path = join(dir, 'disk');
	mkdirSync(path);
	run('truncate', '-s', '512M', image);
	// Small file systems get blocks of 1 KB, which no box has. What mkfs leaves for later would be counted as the gate's.
	run('mkfs.ext4', '-q', '-F', '-b', '4096', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image);
	const device = run('losetup', '--find', '--show', image);
	try {
		run('mount', '-o', 'noatime', device, path);
	} catch (error) {
		run('losetup', '--detach', device);
		throw error;
	}
	return {
		path,
		/** Bytes that reached the device, everything written out. Linux, Documentation/block/stat.rst: sectors of 512 bytes. */
		writtenBytes: () => {
			run('sync', '--file-system', path);
			const fields = readFileSync(`/sys/block/${basename(device)}/stat`, 'utf8')
				.trim()
				.split(/\s+/);
			return Number(fields[6]) * 512;
		},
		unmount: () => {
			run('umount', path);
			run('losetup', '--detach', device);
		},
	};
}
