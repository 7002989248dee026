import { describe, expect, test } from 'vitest';
import { StilewardError } from '../core/errors.ts';
import {
	type Attempt,
	applyUpdate,
	endInterrupted,
	type GateHealth,
	healthyWithinMs,
	type Machine,
} from './apply-update.ts';
import type { Offer } from './update-request.ts';

/** What a version does once it is installed: its health by the time since then. */
type Behavior = (sinceMs: number) => GateHealth | undefined;

const well =
	(version: string, working = ['lane-1', 'lane-2']): Behavior =>
	(sinceMs) =>
		sinceMs < 3_000 ? undefined : { version, working, busy: false };

interface Played extends Machine {
	readonly installed: string[];
}

/** A machine in virtual time; packages are named by their versions. */
function machineOf(behaviors: Readonly<Record<string, Behavior | 'refused'>>): Played {
	let nowMs = 0;
	let since = -10_000;
	let running: Behavior = well('1.0.0');
	const installed: string[] = [];
	return {
		installed,
		install: async (file) => {
			const next = behaviors[file];
			if (next === undefined || next === 'refused')
				throw new StilewardError('update_impossible', `dpkg refused ${file}`);
			installed.push(file);
			running = next;
			since = nowMs;
		},
		repair: async () => void installed.push('repair'),
		health: async () => running(nowMs - since),
		sleep: async (ms) => {
			nowMs += ms;
		},
		monoMs: () => nowMs,
	};
}

function offer(version: string): Offer {
	return { file: version, release: { version, arch: 'amd64', bytes: 1, sha256: '0'.repeat(64), issuedAt: 0 } };
}

const offers = { next: offer('1.1.0'), back: offer('1.0.0') };

function recordOf() {
	const written: (Attempt | 'cleared')[] = [];
	return {
		written,
		write: async (attempt: Attempt) => void written.push(attempt),
		clear: async () => void written.push('cleared'),
	};
}

describe('an update', () => {
	test('stays where every lane that worked before works under it', async () => {
		const [machine, record] = [machineOf({ '1.1.0': well('1.1.0') }), recordOf()];
		expect(await applyUpdate(offers, machine, record)).toEqual({ kind: 'installed', version: '1.1.0' });
		expect(machine.installed).toEqual(['1.1.0']);
		expect(record.written).toMatchObject([{ version: '1.1.0', back: { version: '1.0.0' } }, 'cleared']);
	});

	test.each<[string, Behavior | 'refused', RegExp]>([
		['does not start', () => undefined, /does not answer/],
		['loses a lane', well('1.1.0', ['lane-2']), /lane-1 does not work/],
		['is not what runs', well('1.0.0'), /runs 1\.0\.0/],
		['works for ten seconds', (ms) => (ms < 10_000 ? well('1.1.0')(ms) : undefined), /does not answer/],
		['is refused by the package manager', 'refused', /dpkg refused/],
	])('that %s is taken back', async (_, behavior, why) => {
		const machine = machineOf({ '1.1.0': behavior, '1.0.0': well('1.0.0') });
		const outcome = await applyUpdate(offers, machine, recordOf());
		expect(outcome).toMatchObject({ kind: 'rolled_back', version: '1.1.0', why: expect.stringMatching(why) });
		expect(machine.installed.at(-1)).toBe('1.0.0');
		expect(machine.monoMs()).toBeLessThan(2 * healthyWithinMs + 1_000);
	});

	test('that cannot be taken back says so, and is found again by the next start', async () => {
		const [machine, record] = [machineOf({ '1.1.0': () => undefined, '1.0.0': 'refused' }), recordOf()];
		expect(await applyUpdate(offers, machine, record)).toMatchObject({ kind: 'stuck', why: /dpkg refused 1\.0\.0$/ });
		expect(record.written).not.toContain('cleared');
	});

	test('is not begun while a lane is in use, or the gate is silent', async () => {
		for (const health of [undefined, { version: '1.0.0', working: [], busy: true }]) {
			const [machine, record] = [{ ...machineOf({}), health: async () => health }, recordOf()];
			await expect(applyUpdate(offers, machine, record)).rejects.toMatchObject({ code: 'update_impossible' });
			expect(record.written).toEqual([]);
		}
	});

	test('that a power cut interrupted is taken back', async () => {
		const [machine, record] = [machineOf({ '1.0.0': well('1.0.0') }), recordOf()];
		const attempt = { version: '1.1.0', back: { version: '1.0.0', file: '1.0.0' }, working: ['lane-1'] };
		const outcome = await endInterrupted(attempt, machine, record);
		expect(outcome).toEqual({ kind: 'rolled_back', version: '1.1.0', why: 'it was interrupted' });
		expect(machine.installed).toEqual(['repair', '1.0.0']);
		expect(record.written).toEqual(['cleared']);
	});
});
