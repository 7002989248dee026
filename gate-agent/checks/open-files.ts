import { readdir, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn } from '../nodes/sysfs.ts';
import type { MachineRoots } from './surroundings.ts';

/** Process ids that the kernel shows. */
export async function processIds(roots: MachineRoots): Promise<readonly number[]> {
	return (await namesIn(roots.proc)).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Processes that have a file open, but for this one; an ordinary user sees only his own. */
export async function openersOf(path: string, roots: MachineRoots): Promise<readonly number[]> {
	const real = await realpath(path).catch(() => undefined);
	if (real === undefined) return [];
	const pids = (await processIds(roots)).filter((pid) => pid !== process.pid);
	const open = await Promise.all(
		pids.map(async (pid) => ((await filesOf(pid, roots)).includes(real) ? pid : undefined)),
	);
	return open.filter((pid) => pid !== undefined);
}

async function filesOf(pid: number, roots: MachineRoots): Promise<readonly string[]> {
	const folder = join(roots.proc, `${pid}`, 'fd');
	const links = await readdir(folder).catch(() => []);
	return Promise.all(links.map((link) => readlink(join(folder, link)).catch(() => '')));
}
