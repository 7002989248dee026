import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** A mount namespace needs root, or a kernel that lets a user be root inside a namespace. */
const namespace = [
	['unshare', '--mount'],
	['unshare', '--map-root-user', '--mount'],
].find(
	([command = '', ...args]) => spawnSync(command, [...args, 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0,
);

/** Whether this user may give a process a disk of its own. */
export const mayMount = namespace !== undefined;

if (!mayMount) {
	console.warn(
		'FULL-DISK TESTS OF THE WHOLE GATE NOT RUN: this user may not mount. ' +
			'Run them with: sudo node node_modules/vitest/vitest.mjs run gate-agent/acceptance',
	);
}

/** The file that takes up the space. */
const ballast = '.ballast';

/**
 * The start of a command line that runs the rest of it with a small disk of its own mounted on a folder. `freeKb` is
 * what is left free on it at the start.
 */
export function onOwnDisk(dir: string, options: 'ro' | 'size=2m' | 'size=4m', freeKb?: number): readonly string[] {
	mkdirSync(dir, { recursive: true });
	const mount = `mount -t tmpfs -o ${options} tmpfs "$1"`;
	const fill =
		freeKb === undefined
			? 'true'
			: `fallocate -l $(( $(df --output=avail -k "$1" | tail -1) - ${freeKb} ))K "$1/${ballast}"`;
	return [...(namespace ?? []), 'sh', '-c', `${mount} && ${fill} && shift && exec "$@"`, 'sh', dir];
}

/** Copies the ledger of a running gate that rests out of its disk, where the command line can read it. */
export function copyFrom(pid: number, data: string, copy: string): string {
	const ofReaders = (path: string) => !/\.(lock|ballast)$|-shm$/.test(path);
	cpSync(seenBy(pid, data), copy, { recursive: true, filter: ofReaders });
	return copy;
}

/** A folder as a process in another mount namespace sees it. */
function seenBy(pid: number, dir: string): string {
	return `/proc/${pid}/root${dir}`;
}

/** Takes up all the space that is left on the disk of a running gate. */
export function fillDisk(pid: number, dir: string): void {
	const { bavail, bsize } = statfsSync(seenBy(pid, dir));
	writeFileSync(`${seenBy(pid, dir)}/${ballast}`, new Uint8Array(bavail * bsize));
}

/** Gives the space back. */
export function freeDisk(pid: number, dir: string): void {
	rmSync(`${seenBy(pid, dir)}/${ballast}`);
}
