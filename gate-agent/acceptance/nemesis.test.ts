import { expect, it } from 'vitest';
import { readyWithinMs, runNemesis } from './nemesis.suite.ts';
import { check, timeline } from './nemesis-checker.suite.ts';
import { planOf } from './nemesis-plan.suite.ts';
import { setUpWorld } from './nemesis-world.suite.ts';

/** Minutes of the long form; the short one runs where it is not set. */
const nightMinutes = Number(process.env.STILEWARD_NIGHT ?? 0);
const shortMs = 14_000;
const planMs = nightMinutes > 0 ? (nightMinutes * 60_000) / 2 : shortMs;
/** The short form repeats one plan, so that a failure is of the change that is tested; the night looks for new ones. */
const shortSeed = 31;
const seed = Number(process.env.STILEWARD_SEED ?? (nightMinutes > 0 ? Math.floor(Math.random() * 2 ** 31) : shortSeed));

for (const board of ['waveshare', 'lcus'] as const) {
	it(
		`keeps its promises on a ${board} board whatever is killed, pulled, frozen or filled`,
		async () => {
			console.log(`nemesis on ${board}: STILEWARD_SEED=${seed}, ${planMs / 1000} s`);
			const plan = planOf({ seed, ms: planMs, contacts: board === 'waveshare' });
			const world = await setUpWorld(board, plan.tickets);
			const { history, done, readyMs } = await runNemesis(world, plan);
			console.log(
				`nemesis on ${board}: ready after ${Math.round(readyMs)} ms, lag ${Math.round(history.lagMs)} ms; ${JSON.stringify(done)}`,
			);
			const violations = check(history);
			if (violations.length > 0) console.log(timeline(history).join('\n'));
			expect(violations).toEqual([]);
			expect(done['row granted']).toBeGreaterThan(5);
			expect(readyMs).toBeLessThan(readyWithinMs);
		},
		planMs * 3 + 120_000,
	);
}
