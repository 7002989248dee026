import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../emulators/eventually.suite.ts';
import { emulateLcus, type LcusEmulator } from '../emulators/lcus-emulator.ts';
import { openPty, type Pty } from '../emulators/pty.ts';
import { describeRelay } from './relay.suite.ts';
import { serialLcus } from './serial-lcus.ts';
import { startWatchdog } from './watchdog-link.ts';

const io = { nowMs: () => performance.now(), log: () => {} };
const on = 'a00101a2';
const off = 'a00100a1';

describeRelay(
	'serial-lcus',
	async () => {
		const pty = await openPty();
		const board = emulateLcus(pty, { channels: 2 });
		return {
			open: () => serialLcus.open({ path: pty.path, channels: 2 }, io),
			edges: board.edges,
			isClosed: board.isClosed,
			plug: board,
			end: pty.close,
		};
	},
	{ toleranceMs: 60, reads: false, fedByPort: true },
);

describe('serial-lcus and its board', () => {
	let pty: Pty;
	let board: LcusEmulator;
	let agents: ChildProcess[];
	const bytes = () => Buffer.from(board.received.map(({ byte }) => byte)).toString('hex');
	/** From the first byte of the first frame to the first byte of the last one, ms. */
	const spanMs = () => (board.received.at(-4)?.atMs ?? 0) - (board.received[0]?.atMs ?? 0);

	beforeEach(async () => {
		agents = [];
		pty = await openPty();
		board = emulateLcus(pty);
	});
	afterEach(async () => {
		for (const agent of agents) agent.kill('SIGKILL');
		await pty.close();
	});

	/** An agent in a process of its own: opens the driver, then does what `script` says with `relay`. */
	const runAgent = (script: string) => {
		const driver = new URL('./serial-lcus.ts', import.meta.url).href;
		const code = `
			const { serialLcus } = await import(${JSON.stringify(driver)});
			const io = { nowMs: () => performance.now(), log: () => {} };
			const relay = await serialLcus.open({ path: ${JSON.stringify(pty.path)} }, io);
			${script}
			setInterval(() => {}, 1000);
		`;
		const agent = spawn(process.execPath, ['--input-type=module', '-e', code], {
			stdio: ['ignore', 'inherit', 'inherit'],
		});
		agents.push(agent);
		return agent;
	};

	it('sends the two frames of a pulse, 300 ms apart, and nothing else', async () => {
		const relay = await serialLcus.open({ path: pty.path }, io);
		await relay.pulse(1, 300);
		await eventually(() => board.received.length >= 8);
		await relay.close();
		await delay(50);
		expect(bytes()).toBe(on + off);
		expect(Math.abs(spanMs() - 300)).toBeLessThanOrEqual(60);
	});

	it('ends the pulse on time while the agent is too busy to look', async () => {
		runAgent('await relay.pulse(1, 300); for (const from = Date.now(); Date.now() - from < 2000; );');
		await eventually(() => board.received.length >= 8);
		expect(bytes()).toBe(on + off);
		expect(Math.abs(spanMs() - 300)).toBeLessThanOrEqual(60);
	});

	it('ends the pulse within a second when the agent is killed 50 ms after its start', async () => {
		const agent = runAgent('await relay.pulse(1, 300);');
		await eventually(() => board.isClosed(1));
		await delay(50);
		agent.kill('SIGKILL');
		await eventually(() => !board.isClosed(1), 1000);
		expect(bytes()).toBe(on + off);
		expect(spanMs()).toBeGreaterThanOrEqual(100);
	});

	it('cuts a long pulse when the agent is killed', async () => {
		const agent = runAgent('await relay.pulse(1, 60_000);');
		await eventually(() => board.isClosed(1));
		agent.kill('SIGKILL');
		await eventually(() => !board.isClosed(1), 1000);
		expect(bytes()).toBe(on + off);
	});

	it('opens a coil that is on when the agent is killed, and frees the port for its successor', async () => {
		const agent = runAgent("await relay.set(1, 'on');");
		await eventually(() => board.isClosed(1));
		agent.kill('SIGKILL');
		await eventually(() => !board.isClosed(1), 1000);
		await eventuallyOpens();
		expect(bytes()).toBe(on + off);
	});

	it('leaves a held coil closed when the agent is killed, and its successor does not touch it', async () => {
		const agent = runAgent("await relay.set(1, 'hold');");
		await eventually(() => board.isClosed(1));
		agent.kill('SIGKILL');
		await once(agent, 'exit');
		await eventuallyOpens();
		expect(bytes()).toBe(on);
		expect(board.isClosed(1)).toBe(true);
	});

	/** Opens and closes a successor; while the dying watchdog still has the port, it is told so. */
	const eventuallyOpens = async () => {
		for (let tries = 0; ; tries++) {
			try {
				const relay = await serialLcus.open({ path: pty.path }, io);
				return await relay.close();
			} catch (error) {
				expect(error).toMatchObject({ code: 'device_busy' });
				expect(tries).toBeLessThan(50);
				await delay(20);
			}
		}
	};

	it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('opens its coils before it obeys a %s', async (signal) => {
		const watchdog = await startWatchdog({ driver: 'serial-lcus', path: pty.path, baudRate: 9600 }, io.log);
		await watchdog.order({ kind: 'on', channel: 1 });
		process.kill(watchdog.pid, signal);
		await expect(watchdog.lost).resolves.toMatchObject({ code: 'device_lost' });
		// The watchdog may be gone before its board has heard all of it.
		await eventually(() => bytes() === on + off);
		await watchdog.close();
	});

	it('tells the agent when the watchdog itself is killed', async () => {
		const watchdog = await startWatchdog({ driver: 'serial-lcus', path: pty.path, baudRate: 9600 }, io.log);
		process.kill(watchdog.pid, 'SIGKILL');
		await expect(watchdog.lost).resolves.toMatchObject({ code: 'device_lost' });
		await expect(watchdog.order({ kind: 'on', channel: 1 })).rejects.toMatchObject({ code: 'device_lost' });
		await watchdog.close();
	});

	it('gives a hanging watchdog up, and kills it so that the port is free', async () => {
		const watchdog = await startWatchdog({ driver: 'serial-lcus', path: pty.path, baudRate: 9600 }, io.log);
		process.kill(watchdog.pid, 'SIGSTOP');
		await expect(watchdog.order({ kind: 'on', channel: 1 })).rejects.toMatchObject({ code: 'device_timeout' });
		await expect(watchdog.lost).resolves.toMatchObject({ code: 'device_lost' });
		await watchdog.close();
		await eventuallyOpens();
	});

	it('stays in its own session and small', async () => {
		const watchdog = await startWatchdog({ driver: 'serial-lcus', path: pty.path, baudRate: 9600 }, io.log);
		const session = readFileSync(`/proc/${watchdog.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3];
		expect(Number(session)).toBe(watchdog.pid);
		const environment = readFileSync(`/proc/${watchdog.pid}/environ`, 'utf8').split('\0').filter(Boolean);
		expect(environment.filter((each) => !each.startsWith('NODE_COMPILE_CACHE='))).toEqual([]);
		const residentKb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${watchdog.pid}/status`, 'utf8'))?.[1]);
		expect(residentKb).toBeLessThan(110_000);
		await watchdog.close();
	});

	it('says so when the port is not there', async () => {
		await expect(serialLcus.open({ path: `${pty.path}-gone` }, io)).rejects.toMatchObject({ code: 'device_absent' });
	});
});
