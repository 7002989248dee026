import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { StilewardError } from '../core/errors.ts';
import { keyFiles } from './key-files.ts';

/** How long one process waits for another that writes to the same key folder. */
const waitMs = 10_000;
const retryMs = 15;

/**
 * Runs `work` while no other process, and no other call in this one, writes to the key folder. The lock is the one
 * that SQLite takes on an empty file: the kernel drops it when its owner dies, so that it is never left behind.
 * Throws `keys_missing` without a folder, `output_failed` for one that cannot be written, `keys_busy` after 10 s.
 */
export async function withFolderLock<T>(dir: string, work: () => Promise<T>): Promise<T> {
	// Imported here: a gate reads keys and never writes any.
	const { default: Database } = await import('better-sqlite3');
	const lock = opened(dir, () => new Database(join(dir, keyFiles.issuedLock), { timeout: 0 }));
	try {
		await acquire(dir, () => lock.exec('BEGIN EXCLUSIVE'));
		return await work();
	} finally {
		lock.close();
	}
}

function opened<T>(dir: string, open: () => T): T {
	if (!existsSync(dir)) throw new StilewardError('keys_missing', `${dir} is missing`);
	try {
		return open();
	} catch (cause) {
		throw new StilewardError('output_failed', `${dir} cannot be written`, { cause });
	}
}

async function acquire(dir: string, begin: () => void): Promise<void> {
	const deadline = performance.now() + waitMs;
	while (!tryBegin(begin)) {
		if (performance.now() > deadline) {
			throw new StilewardError('keys_busy', `${dir} is in use by another program`);
		}
		// Some jitter, so that two waiting processes do not meet again and again.
		await setTimeout(retryMs * (0.5 + Math.random()));
	}
}

function tryBegin(begin: () => void): boolean {
	try {
		begin();
		return true;
	} catch (error) {
		if ((error as { code?: string }).code === 'SQLITE_BUSY') return false;
		throw error;
	}
}
