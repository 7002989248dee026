import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** How long durable writes took, milliseconds. */
export interface DurableWrites {
	readonly count: number;
	/** What a visitor waits on the average: a few long stalls are in it, which p50 hides. */
	readonly meanMs: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
}

/** One page of a ledger. */
const pageBytes = 4096;
/** Writes at most, and how long all of them may take: a slow disk is known after a few. */
const writesMax = 60;
const writesMin = 5;
const limitMs = 3_000;

/**
 * Writes pages to a file of its own in a folder and waits for the disk each time, as every commit of the ledger does. Nothing
 * else in the folder is touched. Rejects as the file system does.
 */
export async function measureDurableWrites(dir: string, monoMs: () => number): Promise<DurableWrites> {
	const path = join(dir, `.stileward-disk-test.${process.pid}`);
	const file = await open(path, 'wx', 0o600);
	try {
		const tookMs: number[] = [];
		const page = new Uint8Array(pageBytes);
		const startedMs = monoMs();
		while (tookMs.length < writesMin || (tookMs.length < writesMax && monoMs() - startedMs < limitMs)) {
			const beganMs = monoMs();
			await file.write(page, 0, pageBytes, tookMs.length * pageBytes);
			await file.datasync();
			tookMs.push(monoMs() - beganMs);
		}
		const meanMs = Math.round((tookMs.reduce((sum, each) => sum + each, 0) / tookMs.length) * 10) / 10;
		return { count: tookMs.length, meanMs, p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99) };
	} finally {
		await file.close();
		await rm(path, { force: true });
	}
}

function percentile(values: readonly number[], share: number): number {
	const sorted = values.toSorted((a, b) => a - b);
	const at = Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1);
	return Math.round((sorted[Math.max(0, at)] ?? 0) * 10) / 10;
}
