import { stat, statfs } from 'node:fs/promises';
import type { Check } from './check.ts';
import { type DurableWrites, measureDurableWrites } from './durable-writes.ts';
import { type Finding, found } from './finding.ts';
import { isInMemory, mountOf, wornPercent } from './mount.ts';
import type { Surroundings } from './surroundings.ts';

/** Below this much free space the ledger soon cannot grow; below the other somebody should look, bytes. */
const fullBelowBytes = 8 * 1024 * 1024;
const lowBelowBytes = 200 * 1024 * 1024;
/** A small disk of its own is low below this share. */
const lowBelowShare = 0.1;
const inodesMin = 64;
/**
 * A visitor waits for one durable write. Above the first figure every visitor notices; above the second one now and then does,
 * milliseconds.
 */
const slowMeanMs = 60;
const unevenP99Ms = 400;
/** Flash memory is to be replaced from here on. */
const wornFromPercent = 80;

/** Free space, mounts that are read-only or forget, speed of durable writes and wear of the disk that the ledger lies on. */
export const diskCheck: Check = {
	name: 'disk',
	run: async ({ dataDir }, around) => {
		if (dataDir === undefined) return [];
		const stats = await stat(dataDir).catch(() => undefined);
		if (!stats?.isDirectory()) return [found('data_missing', dataDir)];
		const mount = await mountOf(dataDir, around.roots);
		if (mount?.isReadOnly) return [found('disk_read_only', dataDir, { mount: mount.point, type: mount.type })];
		const worn = mount && (await wornPercent(mount, around.roots));
		const space = await spaceFindings(dataDir);
		const isFull = space.some(({ state }) => state === 'fault');
		const forgets = mount !== undefined && (await isInMemory(mount, around.roots));
		return [
			...(forgets ? [found('disk_in_memory', dataDir, { mount: mount.point, type: mount.type })] : []),
			...space,
			...(worn && worn.percent >= wornFromPercent ? [found('card_worn', worn.name, { percent: worn.percent })] : []),
			...(isFull ? [] : await speedFindings(dataDir, around, space.length === 0)),
		];
	},
};

async function spaceFindings(dir: string): Promise<readonly Finding[]> {
	const { bavail, blocks, bsize, files, ffree } = await statfs(dir);
	const [free, size] = [bavail * bsize, blocks * bsize];
	const space = { freeMiB: mebibytes(free), sizeMiB: mebibytes(size) };
	// File systems without a table of inodes count none.
	const lacksInodes = files > 0 && ffree < inodesMin;
	return [
		...(free < fullBelowBytes && free < size * lowBelowShare ? [found('disk_full', dir, space)] : []),
		...(free >= fullBelowBytes && free < lowBelowBytes && free < size * lowBelowShare
			? [found('disk_low', dir, space)]
			: []),
		...(lacksInodes ? [found('disk_no_inodes', dir, { freeInodes: ffree, inodes: files })] : []),
	];
}

async function speedFindings(dir: string, { monoMs }: Surroundings, isRoomy: boolean): Promise<readonly Finding[]> {
	let measured: DurableWrites;
	try {
		measured = await measureDurableWrites(dir, monoMs);
	} catch (error) {
		const { code = 'unknown' } = error as NodeJS.ErrnoException;
		if (code === 'EROFS') return [found('disk_read_only', dir, { mount: dir })];
		if (code === 'ENOSPC' || code === 'EDQUOT') return [found('disk_full', dir, { freeMiB: 0, sizeMiB: 0 })];
		return [found('disk_skipped', dir, { why: code })];
	}
	const { meanMs, p50Ms, p99Ms, count } = measured;
	const evidence = { meanMs, p50Ms, p99Ms, writes: count };
	if (meanMs > slowMeanMs) return [found('disk_slow', dir, evidence)];
	if (p99Ms > unevenP99Ms) return [found('disk_uneven', dir, evidence)];
	const { bavail, bsize } = await statfs(dir);
	return isRoomy ? [found('disk_ok', dir, { ...evidence, freeMiB: mebibytes(bavail * bsize) })] : [];
}

function mebibytes(bytes: number): number {
	return Math.round((bytes / 1024 / 1024) * 10) / 10;
}
