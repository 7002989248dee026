import fc from 'fast-check';
import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { advanceClock, clockForwardStepMaxMs, learnServerTime, startClock } from './clock.ts';
import { openClockReset, signClockReset } from './clock-reset.ts';

const build = Date.UTC(2026, 10, 1);
const opening = Date.UTC(2026, 10, 22, 8);

describe('the clock of an agent', () => {
	it('believes a system clock that is not before what is known to be past', () => {
		expect(startClock({ systemMs: opening, monoMs: 0 }, [build], 1)).toEqual({
			epoch: 1,
			nowMs: opening,
			monoMs: 0,
			trusted: true,
		});
	});

	it('takes the floor as a bound when the battery is empty, and moves it on', () => {
		const clock = startClock({ systemMs: 5_000, monoMs: 100 }, [build, opening], 1);
		expect(clock).toMatchObject({ nowMs: opening, trusted: false, doubt: 'before_floor' });
		expect(advanceClock(clock, { systemMs: 65_000, monoMs: 60_100 })).toMatchObject({
			nowMs: opening + 60_000,
			trusted: false,
		});
	});

	it('trusts the clock again once the network has set it', () => {
		const clock = startClock({ systemMs: 0, monoMs: 0 }, [build], 1);
		expect(advanceClock(clock, { systemMs: opening, monoMs: 10 })).toEqual({
			epoch: 1,
			nowMs: opening,
			monoMs: 10,
			trusted: true,
		});
	});

	it('goes on by the monotonic clock when the system clock is set back', () => {
		const clock = startClock({ systemMs: opening, monoMs: 0 }, [build], 1);
		expect(advanceClock(clock, { systemMs: opening - 3_600_000, monoMs: 1_000 })).toMatchObject({
			nowMs: opening + 1_000,
			trusted: true,
			doubt: 'stepped_back',
		});
	});

	it('does not follow a jump of more than a day', () => {
		const clock = startClock({ systemMs: opening, monoMs: 0 }, [build], 1);
		const ahead = opening + clockForwardStepMaxMs + 2_000;
		expect(advanceClock(clock, { systemMs: ahead, monoMs: 1_000 })).toMatchObject({
			nowMs: opening + 1_000,
			doubt: 'stepped_forward',
		});
	});

	it('never goes back, whatever the system clock does', () => {
		const ticks = fc.array(fc.record({ systemMs: fc.nat(2 ** 42), elapsedMs: fc.nat(10_000_000) }), { minLength: 1 });
		fc.assert(
			fc.property(fc.nat(2 ** 42), fc.nat(2 ** 41), ticks, (systemMs, floorMs, later) => {
				let clock = startClock({ systemMs, monoMs: 0 }, [floorMs], 1);
				for (const { systemMs: seen, elapsedMs } of later) {
					const next = advanceClock(clock, { systemMs: seen, monoMs: clock.monoMs + elapsedMs });
					expect(next.nowMs).toBeGreaterThanOrEqual(clock.nowMs);
					expect(next.nowMs).toBeGreaterThanOrEqual(floorMs);
					clock = next;
				}
			}),
		);
	});
});

describe('a clock reset', () => {
	it('is believed only with the signature of the root key', async () => {
		const root = await generateKeyPair('Ed25519', { extractable: true });
		const other = await generateKeyPair('Ed25519', { extractable: true });
		const jws = await signClockReset({ epoch: 2, floorMs: opening }, await exportJWK(root.privateKey));
		expect(await openClockReset(jws, await exportJWK(root.publicKey))).toEqual({ epoch: 2, floorMs: opening });
		await expect(openClockReset(jws, await exportJWK(other.publicKey))).rejects.toMatchObject({
			code: 'clock_reset_invalid',
		});
	});

	it('refuses the first epoch and other things that the root key signed', async () => {
		const { publicKey, privateKey } = await generateKeyPair('Ed25519', { extractable: true });
		const jws = await signClockReset({ epoch: 1, floorMs: opening }, await exportJWK(privateKey));
		await expect(openClockReset(jws, await exportJWK(publicKey))).rejects.toMatchObject({
			code: 'clock_reset_invalid',
		});
	});
});

describe('the time of the venue’s server', () => {
	const serverMs = Date.UTC(2026, 10, 22, 10);
	const at = (systemMs: number, monoMs: number) => ({ systemMs, monoMs });

	it('is believed by a clock from 1970, and goes on by the monotonic clock', () => {
		const woken = startClock(at(5_000, 0), [serverMs - 30 * 86_400_000], 1);
		expect(woken.trusted).toBe(false);
		const taught = learnServerTime(woken, at(15_000, 10_000), serverMs);
		expect(taught).toMatchObject({ nowMs: serverMs, trusted: true });
		expect(taught.doubt).toBeUndefined();
		const later = advanceClock(taught, at(75_000, 70_000));
		expect(later).toMatchObject({ nowMs: serverMs + 60_000, trusted: true });
		expect(later.doubt).toBeUndefined();
	});

	it('moves a clock that was nearly right, and never back', () => {
		const clock = startClock(at(serverMs, 0), [], 1);
		expect(learnServerTime(clock, at(serverMs + 1_000, 1_000), serverMs + 3_000).nowMs).toBe(serverMs + 3_000);
		const ahead = learnServerTime(clock, at(serverMs + 1_000, 1_000), serverMs - 60_000);
		expect(ahead.nowMs).toBe(serverMs + 1_000);
		// It stands until the server's time has come up to it.
		expect(advanceClock(ahead, at(serverMs + 61_000, 61_000)).nowMs).toBe(serverMs + 1_000);
		expect(advanceClock(ahead, at(serverMs + 121_000, 121_000)).nowMs).toBe(serverMs + 60_000);
	});

	it('that is a day ahead or minutes behind a trusted clock is doubted and not followed', () => {
		const clock = startClock(at(serverMs, 0), [], 1);
		for (const [says, doubt] of [
			[serverMs + 25 * 3_600_000, 'server_ahead'],
			[serverMs - 180_000, 'server_behind'],
		] as const) {
			const doubted = learnServerTime(clock, at(serverMs, 0), says);
			expect(doubted).toMatchObject({ nowMs: serverMs, trusted: true, doubt });
			expect(advanceClock(doubted, at(serverMs + 10, 10))).toMatchObject({ nowMs: serverMs + 10, doubt });
			expect(learnServerTime(doubted, at(serverMs + 20, 20), serverMs + 20).doubt).toBeUndefined();
		}
	});
});
