import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { textOf } from '../nodes/sysfs.ts';
import type { MachineRoots } from './surroundings.ts';

/** The user of the service, as the package makes it. */
export const serviceUserName = 'stileward';

/** Somebody, as the kernel judges his rights. */
export interface ServiceUser {
	readonly name: string;
	readonly uid: number;
	readonly gids: readonly number[];
}

/** What a file's mode grants: the bits of one class. */
export const right = { read: 4, write: 2 } as const;

/** Owner, group and mode of a file, as `stat` gives them. */
export interface Rights {
	readonly uid: number;
	readonly gid: number;
	readonly mode: number;
}

/** Whether a user has all these rights by owner, group and mode. Access control lists are not looked at. */
export function mayAccess(
	{ uid, gid, mode }: Rights,
	user: Pick<ServiceUser, 'uid' | 'gids'>,
	rights: number,
): boolean {
	if (user.uid === 0) return true;
	const shift = user.uid === uid ? 6 : user.gids.includes(gid) ? 3 : 0;
	return ((mode >> shift) & rights) === rights;
}

/** The user of a process, as the kernel shows it. */
export async function userOfProcess(pid: number, roots: MachineRoots): Promise<ServiceUser | undefined> {
	const status = await textOf(roots.proc, `${pid}`, 'status');
	const numbers = (key: string) =>
		(new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '').split(/\s+/).filter(Boolean).map(Number);
	// Real, effective, saved, of the file system: the effective one opens files.
	const uid = numbers('Uid')[1];
	const gid = numbers('Gid')[1];
	if (uid === undefined || gid === undefined) return undefined;
	const name = (await passwd(roots)).find((entry) => entry.uid === uid)?.name ?? `${uid}`;
	return { name, uid, gids: [gid, ...numbers('Groups')] };
}

/** A user by name, with the groups that the system's files give. */
export async function userByName(name: string, roots: MachineRoots): Promise<ServiceUser | undefined> {
	const entry = (await passwd(roots)).find((each) => each.name === name);
	if (entry === undefined) return undefined;
	const groups = (await linesOf(roots, 'group')).filter(([, , , members = '']) => members.split(',').includes(name));
	return { name, uid: entry.uid, gids: [entry.gid, ...groups.map(([, , gid]) => Number(gid))] };
}

/** The name of a group, or its number where it has none. */
export async function groupName(gid: number, roots: MachineRoots): Promise<string> {
	return (await linesOf(roots, 'group')).find(([, , id]) => Number(id) === gid)?.[0] ?? `${gid}`;
}

async function passwd(roots: MachineRoots) {
	return (await linesOf(roots, 'passwd')).map(([name = '', , uid, gid]) => ({
		name,
		uid: Number(uid),
		gid: Number(gid),
	}));
}

async function linesOf(roots: MachineRoots, file: string): Promise<readonly (readonly string[])[]> {
	const text = await readFile(join(roots.etc, file), 'utf8').catch(() => '');
	return text.split('\n').map((line) => line.split(':'));
}
