import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { namesIn, textOf } from '../nodes/sysfs.ts';
import type { MachineRoots } from './surroundings.ts';

/** The file system that a folder lies on (proc_pid_mountinfo(5)). */
export interface Mount {
	readonly point: string;
	/** `major:minor` of its device. */
	readonly device: string;
	readonly type: string;
	readonly isReadOnly: boolean;
	/** Where an overlay keeps what is written (its `upperdir`). */
	readonly upper?: string;
}

/** The mount that a path lies on; undefined where the kernel does not say. */
export async function mountOf(path: string, roots: MachineRoots): Promise<Mount | undefined> {
	const real = await nearest(path);
	const mounts = (await textOf(roots.proc, 'self', 'mountinfo')).split('\n').flatMap(parseMount);
	const around = mounts.filter(({ point }) => real === point || real.startsWith(point === '/' ? '/' : `${point}/`));
	// The last of the longest ones lies on top.
	return around.reduce<Mount | undefined>(
		(best, each) => (best && best.point.length > each.point.length ? best : each),
		undefined,
	);
}

/** A folder, or the nearest one above it that is there. */
async function nearest(path: string): Promise<string> {
	for (let at = path; ; at = dirname(at)) {
		const real = await realpath(at).catch(() => undefined);
		if (real !== undefined || at === dirname(at)) return real ?? '/';
	}
}

function parseMount(line: string): readonly Mount[] {
	const [before = '', after = ''] = line.split(' - ');
	const [, , device, , point, options] = before.split(' ');
	const [type = '', , superOptions = ''] = after.split(' ');
	if (device === undefined || point === undefined || options === undefined) return [];
	const isReadOnly = [options, superOptions].some((each) => each.split(',').includes('ro'));
	// Blanks and backslashes are written as octal numbers.
	const plain = point.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
	const upper = type === 'overlay' ? /(?:^|,)upperdir=([^,]+)/.exec(superOptions)?.[1] : undefined;
	return [{ point: plain, device, type, isReadOnly, ...(upper !== undefined && { upper }) }];
}

/** File systems that are memory. */
const memoryTypes: readonly string[] = ['tmpfs', 'ramfs'];

/**
 * Whether a mount has forgotten everything after a power cut: memory, or an overlay that keeps in memory what is written, as
 * `overlayroot` makes one. An overlay whose own place cannot be seen from here, as in a container, is given the benefit of the doubt.
 */
export async function isInMemory({ point, type, upper }: Mount, roots: MachineRoots): Promise<boolean> {
	if (upper === undefined) return memoryTypes.includes(type);
	const kept = await mountOf(upper, roots);
	return kept !== undefined && kept.point !== point && memoryTypes.includes(kept.type);
}

/** Life that flash memory has used up in percent (eMMC 5.0 and newer tell it in steps of ten); undefined for all others. */
export async function wornPercent(
	{ device }: Mount,
	{ sys }: MachineRoots,
): Promise<{ name: string; percent: number } | undefined> {
	const place = await realpath(join(sys, 'dev', 'block', device)).catch(() => undefined);
	// A partition lies in the folder of its disk.
	for (const disk of place === undefined ? [] : [place, dirname(place)]) {
		const steps = (await textOf(disk, 'device', 'life_time')).split(/\s+/).filter(Boolean).map(Number);
		const names = await namesIn(disk);
		const worst = Math.max(0, ...steps.filter((step) => step >= 1 && step <= 11));
		if (names.length > 0 && worst > 0)
			return { name: disk.slice(disk.lastIndexOf('/') + 1), percent: Math.min(worst * 10, 100) };
	}
	return undefined;
}
