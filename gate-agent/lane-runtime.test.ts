import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Relay } from './core/device.ts';
import { grantOf, sensorLane, ticketOf } from './core/lane-fake-agent.suite.ts';
import type { LaneConfig, RedeemResult, Screen } from './core/lane-state.ts';
import { classPolicyDefaults } from './core/policy.ts';
import type { Allowance, Fact, Settlement } from './core/redemption.ts';
import { runLane } from './lane-runtime.ts';

const granted: RedeemResult = { kind: 'granted', grant: grantOf('r1'), left: 0, givenBack: 0 };

/** A running lane whose ledger answers a redemption when the test says so. */
function lane(config: Partial<LaneConfig> = {}) {
	const redemption = Promise.withResolvers<RedeemResult>();
	const settled: Settlement[] = [];
	const recorded: Fact[] = [];
	const screens: Screen[] = [];
	let pulses = 0;
	const relay: Relay = {
		pulseTiming: 'hardware',
		channels: 1,
		lost: new Promise(() => undefined),
		pulse: async () => {
			pulses += 1;
		},
		set: async () => undefined,
		read: async () => undefined,
		close: async () => undefined,
	};
	const ticket = ticketOf('adult:1');
	const decision = {
		kind: 'grant',
		direction: 'entry',
		allowance: 'ticket' as Allowance,
		uses: 1,
		reentry: false,
	} as const;
	const runtime = runLane({ ...sensorLane, ...config }, undefined, {
		admitter: {
			check: async () => ({
				kind: 'admissible',
				admissible: { ticket, decision: { ...decision, rung: 'local', left: 0 }, classPolicy: classPolicyDefaults },
			}),
			redeem: () => redemption.promise,
		},
		relay: () => relay,
		coils: { channel: 1, exitChannel: 1, pulseMs: 50 },
		settle: (settlement) => settled.push(settlement),
		record: (fact) => recorded.push(fact),
		recordNow: async () => undefined,
		deny: () => undefined,
		show: (screen) => screens.push(screen),
		observe: () => undefined,
		onGranted: () => undefined,
		onEmergency: () => undefined,
		monoMs: () => performance.now(),
		log: pino({ level: 'silent' }),
	});
	const present = () =>
		runtime.dispatch({ kind: 'scan', side: 'entry', scan: { kind: 'code', text: 'adult:1', atMs: performance.now() } });
	return { runtime, redemption, settled, recorded, screens, present, pulses: () => pulses };
}

const phase = (kind: string) => ({ timeout: 2_000, interval: 5, message: `the lane is ${kind}` });

describe('a lane that is stopped', () => {
	it('waits for the visitor on the way through', async () => {
		const { runtime, redemption, settled, present } = lane();
		present();
		redemption.resolve(granted);
		await expect.poll(() => runtime.status.phase, phase('passing')).toBe('passing');
		const drained = runtime.drain(5_000);
		runtime.dispatch({ kind: 'passage', direction: 'entry', active: true });
		await drained;
		runtime.stop();
		expect(settled).toMatchObject([{ outcome: 'taken', taken: 1 }]);
	});

	it('takes nobody in while it waits, and gives back what is granted meanwhile', async () => {
		const { runtime, redemption, settled, present, pulses, screens } = lane();
		present();
		await expect.poll(() => runtime.status.phase, phase('redeeming')).toBe('redeeming');
		const drained = runtime.drain(5_000);
		expect(screens.at(-1)).toEqual({ kind: 'out_of_service', missing: ['stopping'] });
		redemption.resolve(granted);
		await drained;
		expect(settled).toMatchObject([{ redemptionId: 'r1', outcome: 'not_taken', back: true, counted: false }]);
		expect(pulses()).toBe(0);
	});

	it('is out of service to its end, whatever its devices say', async () => {
		const { runtime, present } = lane();
		await runtime.drain(5_000);
		runtime.dispatch({ kind: 'devices', missing: [] });
		present();
		expect(runtime.status).toMatchObject({ phase: 'idle', screen: 'out_of_service' });
	});

	it('takes visitors in again where it is not stopped after all', async () => {
		const { runtime, redemption, present, pulses } = lane();
		expect(runtime.atRest).toBe(true);
		await runtime.drain(5_000);
		runtime.resume();
		expect(runtime.status).toMatchObject({ phase: 'idle', screen: 'idle', missing: [] });
		present();
		expect(runtime.atRest).toBe(false);
		redemption.resolve(granted);
		await expect.poll(pulses, phase('opened')).toBe(1);
		expect(runtime.atRest).toBe(false);
	});

	it('is not at rest while a visitor who was too late may still come', async () => {
		const { runtime, redemption, present } = lane({ passageTimeoutMs: 100, latePassageMs: 60_000 });
		present();
		redemption.resolve(granted);
		await expect.poll(() => runtime.screen.kind, phase('given up')).toBe('not_taken');
		expect([runtime.status.phase, runtime.atRest]).toEqual(['idle', false]);
		runtime.dispatch({ kind: 'passage', direction: 'entry', active: true });
		expect(runtime.atRest).toBe(true);
	});

	it('writes down the passages that it has counted', () => {
		const { runtime, recorded } = lane({ mode: 'free' });
		for (const active of [true, false, true, false]) runtime.dispatch({ kind: 'passage', direction: 'entry', active });
		expect(recorded.filter(({ kind }) => kind === 'passages')).toEqual([]);
		runtime.stop();
		expect(recorded.filter(({ kind }) => kind === 'passages')).toMatchObject([{ count: 2, during: 'free' }]);
	});

	it('gives back a grant that is committed after the end of its patience', async () => {
		const { runtime, redemption, settled, present, pulses } = lane();
		present();
		await expect.poll(() => runtime.status.phase, phase('redeeming')).toBe('redeeming');
		await runtime.drain(10);
		runtime.stop();
		redemption.resolve(granted);
		await expect.poll(() => settled, phase('settled')).toMatchObject([{ outcome: 'not_taken', back: true }]);
		expect(pulses()).toBe(0);
	});
});
