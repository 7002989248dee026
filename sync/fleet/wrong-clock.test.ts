import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../gate-agent/acceptance/gate.suite.ts';
import { startAgent } from '../../gate-agent/agent.ts';
import { loadConfig } from '../../gate-agent/config.ts';
import { claimMsMax } from '../../gate-agent/core/lane-admission.ts';
import { readEnrollment } from '../../gate-agent/enrollment.ts';
import { patienceMs } from '../acceptance/venue.suite.ts';
import { openFleet, type Sold } from './fleet.suite.ts';

const buildMs = Date.UTC(2020, 0, 1);
const hourMs = 3_600_000;

/** The agent runs in this process: no other one can be given a clock of its own. Server and cables are real. */
it('learns the time from its server where a dead battery says 1970', { timeout: 300_000 }, async () => {
	await using fleet = await openFleet('timed,clockUntrusted=refuse');
	const gate = await fleet.gate('east');
	const at = (hours: number) => new Date(Date.now() + hours * hourMs).toISOString();
	const [now] = await fleet.sell('timed', 1, '--from', at(-1), '--until', at(24));
	const [tomorrow] = await fleet.sell('timed', 1, '--from', at(24), '--until', at(48));
	const enrolled = await readEnrollment(gate.data);
	if (!now || !tomorrow || !enrolled) throw new Error('two tickets were sold to visitors of an enrolled gate');

	gate.cable.cut();
	const lines: Record<string, unknown>[] = [];
	const agent = await startAgent(
		loadConfig({ file: gate.config, sets: ['http.enabled=false', `venue.claimMs=${claimMsMax}`] }),
		{
			log: pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) }),
			clock: { systemMs: () => performance.now(), monoMs: () => performance.now() },
			...{ random: Math.random, version: '0.1.0', buildMs, enrolled },
		},
	);
	onTestFinished(() => agent.close());
	await agent.ready;
	const saidTo = async (ticket: Sold) => {
		const from = lines.length;
		await gate.present(ticket);
		return until(
			() => `a verdict in ${JSON.stringify(lines)}`,
			() => lines.slice(from).find(({ event }) => event === 'granted' || event === 'denied'),
			patienceMs,
		);
	};
	expect(agent.health().clock).toMatchObject({ trusted: false, doubt: 'before_floor' });
	expect(await saidTo(now)).toMatchObject({ event: 'denied', reason: 'clock_untrusted' });

	gate.cable.heal();
	await until('the time', () => agent.health().clock.trusted === true, patienceMs);
	expect(agent.health().clock).not.toHaveProperty('doubt');
	expect(await saidTo(tomorrow)).toMatchObject({ event: 'denied', reason: 'not_yet_valid' });
	expect(await saidTo(now)).toMatchObject({ event: 'granted', rung: 'authority' });
	const [granted] = await gate.rows('granted');
	expect(Math.abs(Date.parse(granted?.at ?? '') - Date.now())).toBeLessThan(hourMs);
	await until('the opening', () => gate.opened() === 1, patienceMs);
});
