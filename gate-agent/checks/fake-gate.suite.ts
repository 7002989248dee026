import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { checkConfig, type GateConfig } from '../config.ts';
import { type ConfigSource, parseConfig } from '../config-source.ts';
import type { LaneStatus } from '../core/lane.ts';
import type { PluggedDevice } from '../plugged-devices.ts';
import type { Check, GateUnderCheck } from './check.ts';
import type { AgentHealth } from './running-agent.ts';
import { rootsOf, type Surroundings } from './surroundings.ts';

/** When the program of every gate here was built, and what its clock shows, milliseconds since 1970. */
export const builtMs = Date.parse('2026-11-01T00:00:00Z');
/** @see builtMs */
export const nowMs = Date.parse('2026-11-27T00:00:00Z');

/** A machine without anything: its folders are empty, its programs are missing, its clock is right. */
export function emptyMachine(over: Partial<Surroundings> = {}): Surroundings & { readonly root: string } {
	const root = mkdtempSync(join(tmpdir(), 'stileward-checks-'));
	onTestFinished(() => rmSync(root, { recursive: true, force: true }));
	for (const name of ['sys', 'dev', 'proc', 'etc']) mkdirSync(join(root, name));
	return {
		...{ root, roots: rootsOf(root), systemMs: () => nowMs, monoMs: () => performance.now() },
		run: async () => undefined,
		isClockSynchronized: async () => true,
		lookup: async () => ['127.0.0.1'],
		build: { version: '0.1.0', buildMs: builtMs },
		...over,
	};
}

/** Writes a file of a machine, and the folders around it. */
export function put(root: string, path: string, text: string): void {
	mkdirSync(dirname(join(root, path)), { recursive: true });
	writeFileSync(join(root, path), text);
}

/** Makes a link of a machine. */
export function link(root: string, path: string, target: string): void {
	mkdirSync(dirname(join(root, path)), { recursive: true });
	symlinkSync(target, join(root, path));
}

/** A configuration with one lane; its devices can be others. */
export function configWith(lane: Readonly<Record<string, unknown>> = {}, data = '/nowhere'): GateConfig {
	const whole = {
		...{ agent: 'gate-1', event: 'lantern-2026', keys: '/nowhere/keys', data },
		lanes: [{ id: 'lane-1', scanner: { driver: 'replay', path: 'codes' }, relay: { driver: 'simulated' }, ...lane }],
	};
	const source: ConfigSource = parseConfig('gate.yaml', JSON.stringify(whole), []);
	return checkConfig(source);
}

/** A gate that does not run. */
export function stoppedGate(over: Partial<GateUnderCheck> = {}): GateUnderCheck {
	return {
		...{
			configFile: 'gate.yaml',
			config: configWith(),
			configurationFindings: [],
			agent: {},
			plugged: [],
			mayOpen: false,
		},
		user: { name: 'stileward', uid: 900, gids: [900, 20] },
		...over,
	};
}

/** Health of a gate that works, changed in places. */
export function healthWith(over: Partial<AgentHealth> = {}): AgentHealth {
	const lane: LaneStatus = {
		...{ mode: 'entry', phase: 'idle', screen: 'idle', alarms: [], emergency: false, fire: 'clear', sensor: 'working' },
		...{ passing: [], missing: [], waiting: 0 },
	};
	return {
		...{ ok: true, version: '0.1.0', lanes: { 'lane-1': lane }, devices: {} },
		ledger: { ok: true, pendingWrites: 0, integrity: 'whole', rows: 7, denialsWaiting: 0 },
		clock: { trusted: true, epoch: 1 },
		keys: { manifestVersion: 3, warnings: [] },
		...over,
	};
}

/** A device that is plugged in. */
export function pluggedDevice(over: Partial<PluggedDevice>): PluggedDevice {
	const usual = {
		kind: 'serial',
		path: '/dev/ttyUSB0',
		id: '1a86:7523',
		name: 'USB Serial',
		serial: '',
		port: '1-1',
	} as const;
	return { ...usual, lasting: { path: '/dev/serial/by-path/usb-0:1' }, models: [], ...over };
}

/** The codes that a check finds. */
export async function codesOf(
	check: Check,
	gate: GateUnderCheck,
	around: Surroundings = emptyMachine(),
): Promise<readonly string[]> {
	return (await check.run(gate, around)).map(({ code }) => code);
}
