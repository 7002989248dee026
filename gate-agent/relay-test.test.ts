import { expect, it } from 'vitest';
import type { Relay } from './core/device.ts';
import { StilewardError } from './core/errors.ts';
import type { LaneStatus } from './core/lane.ts';
import { type RelayTestDeps, testRelay } from './relay-test.ts';

const atRest: LaneStatus = {
	...{ mode: 'entry', phase: 'idle', screen: 'idle', fire: 'clear', sensor: 'none' },
	...{ alarms: [], emergency: false, missing: [], passing: [], waiting: 0 },
};

const settings = { driver: 'simulated', options: {}, channel: 1, exitChannel: 2, pulseMs: 300 };

/** A lane whose journal and board write down what they are told, in order. */
function lane(over: Partial<RelayTestDeps> = {}, refused?: StilewardError) {
	const story: string[] = [];
	const relay: Relay = {
		...{ pulseTiming: 'hardware', channels: 2, lost: new Promise(() => undefined) },
		pulse: async (channel, ms) => {
			if (refused) throw refused;
			story.push(`pulse ${channel} ${ms}`);
		},
		...{ set: async () => undefined, read: async () => undefined, close: async () => undefined },
	};
	const deps: RelayTestDeps = {
		...{ status: () => atRest, settings, relay: () => relay },
		record: async (fact) => void story.push(JSON.stringify(fact)),
		...over,
	};
	return { deps, story };
}

const asked = { lane: 'lane-1', direction: 'exit', isClear: true } as const;

it('is written down before the coil closes, on the channel of its direction', async () => {
	const { deps, story } = lane();
	expect(await testRelay(asked, deps)).toEqual({ kind: 'pulsed' });
	expect(story).toEqual(['{"kind":"relay_test","lane":"lane-1","direction":"exit","by":"technician"}', 'pulse 2 300']);
});

it.each([
	['a fire', { fire: 'active' }, true, 'emergency'],
	['a fire input that is not known', { fire: 'unknown' }, true, 'emergency'],
	['an emergency', { emergency: true }, true, 'emergency'],
	['an emergency at a locked lane', { emergency: true, mode: 'locked' }, false, 'emergency'],
	['a visitor on the way through', { phase: 'passing' }, true, 'in_use'],
	['a ticket that is looked at', { phase: 'checking' }, true, 'in_use'],
	['a lane that takes visitors, and nobody says that it is clear', {}, false, 'not_clear'],
	['a free lane, and nobody says that it is clear', { mode: 'free' }, false, 'not_clear'],
] as const)('is refused during %s, and nothing is written', async (_what, status, isClear, why) => {
	const { deps, story } = lane({ status: () => ({ ...atRest, ...status }) });
	expect(await testRelay({ ...asked, isClear }, deps)).toEqual({ kind: 'refused', why });
	expect(story).toEqual([]);
});

it('needs nobody’s word at a locked lane', async () => {
	const { deps } = lane({ status: () => ({ ...atRest, mode: 'locked' }) });
	expect(await testRelay({ ...asked, isClear: false }, deps)).toEqual({ kind: 'pulsed' });
});

it('opens nothing where a fire began while the disk was waited for', async () => {
	let fire: LaneStatus['fire'] = 'clear';
	const { deps, story } = lane({
		status: () => ({ ...atRest, fire }),
		record: async () => {
			fire = 'active';
		},
	});
	expect(await testRelay(asked, deps)).toEqual({ kind: 'refused', why: 'emergency' });
	expect(story).toEqual([]);
});

it('opens nothing without a gate, without its board, or where the disk took no note', async () => {
	const nothing = { kind: 'refused', why: 'no_relay' };
	expect(await testRelay(asked, lane({ settings: undefined }).deps)).toEqual(nothing);
	expect(await testRelay(asked, lane({ relay: () => undefined }).deps)).toEqual(nothing);
	const { deps, story } = lane({
		record: async () => {
			throw new StilewardError('ledger_full', 'no space');
		},
	});
	expect([await testRelay(asked, deps), story]).toEqual([{ kind: 'refused', why: 'ledger' }, []]);
});

it('says what the board says where it fails', async () => {
	const { deps } = lane({}, new StilewardError('device_timeout', 'no answer from the board'));
	const hint = expect.stringContaining('wiring');
	expect(await testRelay(asked, deps)).toEqual({ kind: 'failed', problem: 'no answer from the board', hint });
});
