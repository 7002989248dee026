import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, startAgent } from './agent.ts';
import { checkConfig } from './config.ts';
import { parseConfig } from './config-source.ts';
import { denialsPerMinuteMax } from './core/ledger.ts';
import { ticketId } from './core/ticket.ts';
import type { Simulation } from './drivers.ts';
import { initKeys, resetClock } from './keys/key-folder.ts';
import type { Logger } from './logger.ts';

const nowMs = Date.UTC(2026, 10, 22, 10);
const wrongMs = Date.UTC(2036, 0, 1);
const buildMs = Date.UTC(2026, 10, 1);

let dir: string;
let agent: Agent | undefined;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'stileward-agent-'));
	await initKeys({ dir: join(dir, 'keys'), nowMs });
	await writeFile(join(dir, 'codes.txt'), '');
});
afterEach(async () => {
	await agent?.close();
	agent = undefined;
	await rm(dir, { recursive: true, force: true });
});

interface Started {
	/** What the system's clock says. */
	readonly systemMs?: number | (() => number);
	readonly built?: number;
	readonly sets?: readonly string[];
	/** Whether all devices are waited for; default true. */
	readonly waits?: boolean;
	readonly log?: Logger;
	readonly onCoil?: (channel: number, closed: boolean) => void;
	readonly contacts?: Simulation['contacts'];
}

async function start({
	systemMs = nowMs,
	built = buildMs,
	sets = [],
	log = pino({ level: 'silent' }),
	waits = true,
	onCoil = () => undefined,
	contacts = { states: () => ({}), listen: () => () => undefined },
}: Started = {}): Promise<Agent> {
	const text = `
event: opera
keys: ${join(dir, 'keys')}
data: ${join(dir, 'data')}
http: { enabled: false }
lanes:
  - id: lane-1
    scanner: { driver: replay, path: ${join(dir, 'codes.txt')} }
    relay: { driver: simulated }
`;
	agent = await startAgent(checkConfig(parseConfig('gate.yaml', text, sets)), {
		log,
		clock: {
			systemMs: () => (typeof systemMs === 'number' ? systemMs : systemMs()) + performance.now(),
			monoMs: () => performance.now(),
		},
		random: () => 0,
		version: '1.0.0',
		buildMs: built,
		simulation: { onCoil, contacts },
	});
	if (waits) await agent.ready;
	return agent;
}

/** Runs an agent until it is ready, looks at its health, and closes it. */
async function healthAfter(started: Started) {
	const { close, health } = await start(started);
	const seen = health();
	await close();
	agent = undefined;
	return seen;
}

describe('the clock of a gate', () => {
	it('is trusted again after a root-signed reset, and stays so over restarts', async () => {
		expect((await healthAfter({ systemMs: wrongMs })).clock).toEqual({ trusted: true, epoch: 1 });
		expect((await healthAfter({})).clock).toEqual({ trusted: false, epoch: 1, doubt: 'before_floor' });
		await resetClock({ dir: join(dir, 'keys'), nowMs });
		expect((await healthAfter({ built: wrongMs })).clock).toEqual({ trusted: true, epoch: 2 });
		expect((await healthAfter({ built: wrongMs })).clock).toEqual({ trusted: true, epoch: 2 });
		await rm(join(dir, 'keys', 'clock-reset.jws'));
		expect((await healthAfter({ built: wrongMs })).clock).toEqual({ trusted: true, epoch: 2 });
	});

	it('is bounded by the ledger after a reboot without a battery', async () => {
		await healthAfter({});
		const { clock, ok } = await healthAfter({ systemMs: 0 });
		expect({ clock, ok }).toEqual({ clock: { trusted: false, epoch: 1, doubt: 'before_floor' }, ok: false });
	});

	it('begins an epoch only once, so that a reset that stays there cannot be played again', async () => {
		await resetClock({ dir: join(dir, 'keys'), nowMs });
		const dayMs = 24 * 3_600_000;
		await healthAfter({ systemMs: nowMs + dayMs });
		expect((await healthAfter({})).clock).toMatchObject({ trusted: false, epoch: 2 });
	});
});

describe('the limit of denied rows', () => {
	it('holds also when the system clock runs days ahead of the time that the gate believes', async () => {
		let stepMs = 0;
		const { ledger, health } = await start({ systemMs: () => nowMs + stepMs });
		stepMs = 48 * 3_600_000;
		expect(health().clock.doubt).toBe('stepped_forward');
		for (let idx = 0; idx < 200; idx += 1) {
			ledger.deny({ reason: 'expired', lane: 'lane-1', ticketId: ticketId('opera', idx), atMs: nowMs + 1_000 });
			if (idx % 50 === 0) await ledger.flush();
		}
		await ledger.flush();
		const denied = (await ledger.rows(0, 1_000)).filter(({ kind }) => kind === 'denied');
		expect(denied).toHaveLength(denialsPerMinuteMax);
	});
});

describe('the health of a gate', () => {
	it('is good on a locked lane', async () => {
		expect(await healthAfter({ sets: ['lanes.0.mode=locked'] })).toMatchObject({
			ok: true,
			ledger: { ok: true, pendingWrites: 0, denialsWaiting: 0 },
		});
	});

	it('is bad while the scanner is missing, and good while only a lamp is', async () => {
		const missing = await start({ sets: ['lanes.0.scanner.path=/nowhere'], waits: false });
		await expect.poll(() => missing.health().devices['lane-1.scanner']?.state, { interval: 10 }).toBe('absent');
		expect(missing.health().ok).toBe(false);
		await missing.close();
		const dark = await start({ sets: ['lanes.0.feedback={ driver: relay-channels }'], waits: false });
		await expect.poll(() => dark.health().ok, { interval: 10, timeout: 3_000 }).toBe(true);
	});
});

describe('what a gate serves', () => {
	it('has figures of this moment, and warns where the whole network can read them', async () => {
		const lines: string[] = [];
		const log = pino({ base: null }, { write: (line: string) => lines.push(line) });
		await start({ log, systemMs: 0, built: 5_000_000_000_000, sets: ['http={ host: 0.0.0.0, port: 0 }'] });
		const url = agent?.url?.replace('0.0.0.0', '127.0.0.1');
		expect(await (await fetch(`${url}/metrics`)).text()).toContain('stileward_clock_trusted 0');
		expect(lines.some((line) => line.includes('"event":"http_exposed"'))).toBe(true);
	});
});

describe('the lamps of a gate', () => {
	it('show the state of the lane from the moment they are opened', async () => {
		const lit: string[] = [];
		await start({
			sets: ['lanes.0.feedback={ driver: relay-channels, idle: [{ channel: 5 }] }'],
			onCoil: (channel, closed) => lit.push(`${channel} ${closed ? 'on' : 'off'}`),
		});
		await expect.poll(() => lit, { timeout: 3_000, interval: 10 }).toEqual(['5 on']);
	});
});

describe('the keys of a gate', () => {
	it('are those of the root key that it has pinned', async () => {
		await healthAfter({});
		await rm(join(dir, 'keys'), { recursive: true });
		await initKeys({ dir: join(dir, 'keys'), nowMs });
		await expect(start()).rejects.toMatchObject({
			code: 'manifest_invalid',
			message: expect.stringContaining('pinned'),
		});
	});
});

describe('the moment to end the lanes of a gate', () => {
	it('is none while a fire burns or an emergency is held', async () => {
		let fire = true;
		let tell = (_: boolean): void => undefined;
		const contacts: Simulation['contacts'] = {
			states: () => ({ fire }),
			listen: (onChange) => {
				tell = (active) => onChange('fire', active);
				return () => undefined;
			},
		};
		const inputs = 'lanes.0.inputs={ driver: simulated, contacts: { fire: {} } }';
		const { busy, command } = await start({ sets: [inputs], contacts });
		expect(busy()).toBe('fire');
		fire = false;
		tell(false);
		expect(busy()).toBe('emergency');
		command('lane-1', { kind: 'emergency_reset', by: 'key-switch' });
		expect(busy()).toBeUndefined();
	});

	it('comes with no device missing, or says which one is', async () => {
		const whole = await start();
		expect([whole.busy(), whole.notReady()]).toEqual([undefined, undefined]);
		await whole.close();
		const sets = ['lanes.0.scanner.path=/nowhere'];
		const missing = await start({ sets, waits: false });
		await expect.poll(missing.notReady, { interval: 10 }).toMatch(/^lane-1\.scanner is absent: .*nowhere/);
	});
});
