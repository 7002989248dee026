import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { type RunningGate, until } from '../../gate-agent/acceptance/gate.suite.ts';
import { cpuSecondsOf } from '../bench/process-cpu.ts';
import { slowness } from './slowness.ts';

/** An emulated processor and a busy host. */
export const patienceMs = 60_000 * slowness;

/** Whatever the jitter of the backoff, a device that is plugged in again works within 5 s of a machine that is not slow. */
const recoveredMs = 5_000 * slowness;

/** How long the device stays away. */
const awayMs = 3_000;

/** A read that never ends costs a whole core, emulated or not. */
const cpuShareMax = 0.7;

/** Waits until a gate as a technician starts it is ready. */
export async function untilReady(gate: RunningGate): Promise<void> {
	const told = () => `a ready gate after\n${gate.printed().slice(-3_000)}`;
	await until(told, () => gate.lines.find(({ event, ready }) => event === 'ready' && ready), patienceMs);
}

/** A device of a running gate, and how its plug is pulled. */
export interface Plugged {
	readonly gate: RunningGate;
	/** What the agent calls the devices on this plug. */
	readonly devices: readonly string[];
	readonly unplug: () => Promise<unknown>;
	readonly replug: () => Promise<unknown>;
}

/**
 * Pulls a device out of a running gate and plugs it in again. Gives what the agent said of it, when, and what it cost; fails where
 * it took longer than a visitor would wait, or kept a core busy.
 */
export async function pullAndReplace({ gate, devices, unplug, replug }: Plugged): Promise<string> {
	let from = gate.lines.length;
	const become = async (...states: readonly string[]) => {
		for (const device of devices) {
			const told = () => `${device} ${states.join(' or ')} after\n${gate.printed().slice(-2_000)}`;
			const seen = () =>
				gate.lines.slice(from).find((line) => line.device === device && states.includes(`${line.state}`));
			await until(told, seen, patienceMs);
		}
	};
	const pulledMs = performance.now();
	await unplug();
	await become('absent', 'degraded');
	const lostMs = performance.now() - pulledMs;
	const cpuBefore = cpuSecondsOf(gate.pid);
	await sleep(awayMs);
	const cpuShare = (cpuSecondsOf(gate.pid) - cpuBefore) / (awayMs / 1000);
	from = gate.lines.length;
	const pluggedMs = performance.now();
	await replug();
	await become('ready');
	const backMs = performance.now() - pluggedMs;
	expect(backMs).toBeLessThan(recoveredMs);
	expect(cpuShare).toBeLessThan(cpuShareMax);
	const cpu = `CPU of the agent meanwhile ${(cpuShare * 100).toFixed(0)} % (emulated)`;
	return `loss told after ${lostMs.toFixed(0)} ms, ready again after ${backMs.toFixed(0)} ms, ${cpu}`;
}
