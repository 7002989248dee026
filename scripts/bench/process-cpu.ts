import { readFileSync } from 'node:fs';

/** Clock ticks of `/proc/PID/stat` in a second, on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** CPU seconds that a process has used since its start. */
export function cpuSecondsOf(pid: number | undefined): number {
	const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
	return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
