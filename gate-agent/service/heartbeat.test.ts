import { afterEach, expect, it } from 'vitest';
import { type Liveness, startHeartbeat } from './heartbeat.ts';

const everyMs = 10;
const stops: (() => void)[] = [];
afterEach(() => {
	for (const stop of stops.splice(0)) stop();
});

/** A heart of parts that a test moves; its clock is the test's own. */
function heart(parts: { lanes?: Liveness['lanes']; relays?: Liveness['relays'] }) {
	let nowMs = 0;
	let beats = 0;
	let alive = 0;
	const silent: (readonly string[])[] = [];
	const now = { ...parts };
	stops.push(
		startHeartbeat({
			...{ everyMs, lateMsMax: 1_000 },
			liveness: () => {
				beats += 1;
				return { lanes: now.lanes ?? [], relays: now.relays ?? [] };
			},
			monoMs: () => nowMs,
			alive: () => {
				alive += 1;
			},
			onSilent: (each) => void silent.push(each),
		}),
	);
	/** Lets the time pass, and two beats, so that what was asked at the first has been answered by the second. */
	const passes = async (ms: number) => {
		nowMs += ms;
		const from = beats;
		await expect.poll(() => beats, { timeout: 10_000, interval: 5 }).toBeGreaterThanOrEqual(from + 2);
		return alive;
	};
	return { now, passes, silent, alive: () => alive };
}

const answering = { read: async () => [false] };
const hanging = { read: () => new Promise<never>(() => undefined) };
const refusing = { read: () => Promise.reject(new Error('no')) };

it('beats at once, and as long as lanes and relays answer', async () => {
	const { passes, alive } = heart({
		lanes: [{ id: 'lane-1', lateMs: 900 }],
		relays: [{ name: 'lane-1.relay', relay: answering }],
	});
	expect(alive()).toBe(1);
	const before = await passes(900);
	expect(await passes(900)).toBeGreaterThan(before);
});

it('leaves beats out while a lane owes its answer, and beats again once it gave it', async () => {
	const { now, passes, silent } = heart({ lanes: [{ id: 'lane-1', lateMs: 0 }] });
	now.lanes = [{ id: 'lane-1', lateMs: 1_001 }];
	const before = await passes(0);
	expect(await passes(0)).toBe(before);
	now.lanes = [{ id: 'lane-1', lateMs: 0 }];
	expect(await passes(0)).toBeGreaterThan(before);
	expect(silent).toEqual([['lane-1'], []]);
});

it.each([
	['hangs', hanging],
	['refuses every question', refusing],
])('leaves beats out when the port of a relay %s', async (_what, relay) => {
	const { passes, silent } = heart({ relays: [{ name: 'lane-1.relay', relay }] });
	const before = await passes(1_001);
	expect(await passes(0)).toBe(before);
	expect(silent).toEqual([['lane-1.relay']]);
});

it('beats for a relay that was unplugged, and gives one that was plugged in its time to answer', async () => {
	const { now, passes, silent } = heart({ relays: [{ name: 'lane-1.relay', relay: hanging }] });
	now.relays = [];
	const before = await passes(5_000);
	now.relays = [{ name: 'lane-1.relay', relay: answering }];
	const after = await passes(5_000);
	expect(after).toBeGreaterThan(before);
	expect(await passes(900)).toBeGreaterThan(after);
	expect(silent).toEqual([]);
});
