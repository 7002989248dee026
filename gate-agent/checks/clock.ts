import { clockToleranceMs } from '../core/clock.ts';
import { namesIn } from '../nodes/sysfs.ts';
import type { Check, GateUnderCheck } from './check.ts';
import { type Finding, found } from './finding.ts';
import { iso } from './iso-time.ts';
import { newestRowMs } from './ledger.ts';
import type { Surroundings } from './surroundings.ts';

/** What the clock shows, what is certainly past, whether it is kept right, and whether it outlives a power cut. */
export const clockCheck: Check = {
	name: 'clock',
	run: async (gate, around) => {
		const findings = [...wrongFindings(gate, around), ...doubtFindings(gate), ...(await keepingFindings(around))];
		return findings.length > 0 ? findings : [found('clock_ok', 'clock', { time: iso(around.systemMs()) })];
	},
};

function wrongFindings({ dataDir }: GateUnderCheck, { systemMs, build }: Surroundings): readonly Finding[] {
	const nowMs = systemMs();
	const time = iso(nowMs);
	if (nowMs < build.buildMs - clockToleranceMs)
		return [found('clock_before_build', 'clock', { time, built: iso(build.buildMs) })];
	const newestMs = dataDir === undefined ? undefined : newestRowMs(dataDir);
	if (newestMs === undefined || nowMs >= newestMs - clockToleranceMs) return [];
	return [found('clock_before_ledger', 'clock', { time, newest: iso(newestMs) })];
}

function doubtFindings({ agent }: GateUnderCheck): readonly Finding[] {
	const { clock } = agent.health ?? {};
	if (clock === undefined || (clock.trusted && clock.doubt === undefined)) return [];
	return [found('clock_doubted', 'clock', { doubt: clock.doubt ?? 'untrusted', epoch: clock.epoch })];
}

async function keepingFindings({ roots, isClockSynchronized }: Surroundings): Promise<readonly Finding[]> {
	const clocks = (await namesIn(`${roots.sys}/class/rtc`)).filter((name) => /^rtc\d+$/.test(name));
	return [
		...((await isClockSynchronized()) === false ? [found('clock_not_synchronized', 'clock')] : []),
		...(clocks.length === 0 ? [found('no_rtc', 'clock')] : []),
	];
}
