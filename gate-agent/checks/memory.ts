import { textOf } from '../nodes/sysfs.ts';
import type { Check } from './check.ts';
import { found } from './finding.ts';

/** An agent needs about 130 MiB; below the first figure it may not start again, below the second the kernel ends programs. */
const lowBelowMiB = 160;
const shortBelowMiB = 32;

/** Whether the machine has memory left. */
export const memoryCheck: Check = {
	name: 'memory',
	run: async (_, { roots }) => {
		const text = await textOf(roots.proc, 'meminfo');
		const mebibytes = (key: string) => {
			const kibibytes = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
			return kibibytes === undefined ? undefined : Math.round(Number(kibibytes) / 1024);
		};
		const [availableMiB, totalMiB] = [mebibytes('MemAvailable'), mebibytes('MemTotal')];
		if (availableMiB === undefined || totalMiB === undefined) {
			return [found('memory_skipped', 'memory', { why: 'kernel_silent' })];
		}
		const evidence = { availableMiB, totalMiB };
		if (availableMiB < shortBelowMiB) return [found('memory_short', 'memory', evidence)];
		return [found(availableMiB < lowBelowMiB ? 'memory_low' : 'memory_ok', 'memory', evidence)];
	},
};
