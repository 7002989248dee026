import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import Type from 'typebox';
import { Check } from 'typebox/value';
import { StilewardError } from '../core/errors.ts';
import { laneInUse, laneWorks } from '../core/lane.ts';
import type { GateHealth, Machine } from './apply-update.ts';

const run = promisify(execFile);

/** The package manager may wait this long for another one. */
const installMs = 300_000;

const healthMs = 5_000;
const healthBytesMax = 256 * 1024;

/** What the updater reads of `/healthz`; the rest is for people. */
const healthSchema = Type.Object({
	version: Type.String(),
	lanes: Type.Record(
		Type.String(),
		Type.Object({
			phase: Type.String(),
			emergency: Type.Boolean(),
			fire: Type.String(),
			missing: Type.Array(Type.String()),
			alarms: Type.Array(Type.String()),
		}),
	),
});

/** How the machine at hand is reached. */
export interface MachineOptions {
	/** Debian's package manager, and what stands before each of its actions. */
	readonly dpkg: readonly [command: string, ...args: string[]];
	/** Address of the agent's health, e.g. `http://127.0.0.1:8080/healthz`. */
	readonly healthUrl: string;
}

/** The machine at hand: Debian's package manager, and the agent's own health. */
export function createMachine({ dpkg, healthUrl }: MachineOptions): Machine {
	const [command, ...before] = dpkg;
	const manage = async (...args: string[]) => {
		try {
			await run(command, [...before, ...args], { timeout: installMs });
		} catch (cause) {
			const { stderr = '' } = cause as { readonly stderr?: string };
			const why = stderr.trim().split('\n').at(-1) ?? '';
			throw new StilewardError('update_impossible', `${command} ${args[0]} failed: ${why}`, { cause });
		}
	};
	return {
		install: (file) => manage('--install', file),
		repair: () => manage('--configure', '--pending').catch(() => {}),
		health: () => readHealth(healthUrl),
		sleep: (ms) => sleep(ms),
		monoMs: () => performance.now(),
	};
}

async function readHealth(url: string): Promise<GateHealth | undefined> {
	try {
		// A gate that is not well answers 503, with the same body.
		const answer = await fetch(url, { signal: AbortSignal.timeout(healthMs) });
		const text = await answer.text();
		const health: unknown = text.length <= healthBytesMax ? JSON.parse(text) : undefined;
		return Check(healthSchema, health) ? healthOf(health) : undefined;
	} catch {
		return undefined;
	}
}

function healthOf({ version, lanes }: Type.Static<typeof healthSchema>): GateHealth {
	const all = Object.entries(lanes);
	return {
		version,
		working: all.filter(([, lane]) => laneWorks(lane)).map(([id]) => id),
		busy: all.some(([, lane]) => laneInUse(lane)),
	};
}
