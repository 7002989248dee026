import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { listenForNotices } from '../service/notify-receiver.suite.ts';
import { startGate, stileward, temporaryFolder, until } from './gate.suite.ts';
import { setUpBench } from './lcus-bench.suite.ts';
import { setUpTurnstile } from './turnstile-bench.suite.ts';

/** A service manager that waits for notices, and the command that starts a gate below it. */
function manager() {
	const receiver = listenForNotices(join(temporaryFolder(), 'notify'));
	onTestFinished(receiver.close);
	const heard: string[] = [];
	const hears = (notice: string) =>
		until(
			() => `${notice} among ${heard.join(', ')}`,
			() => {
				heard.push(...receiver.messages());
				return heard.includes(notice);
			},
			30_000,
		);
	const within = ['env', `NOTIFY_SOCKET=${receiver.address}`, 'WATCHDOG_USEC=4000000'];
	return { heard, hears, within };
}

/** A configuration file that names the data folder, which is all that `gate relays-off` reads of it. */
function configOf(data: string): string {
	const file = join(temporaryFolder(), 'gate.yaml');
	writeFileSync(file, `data: ${data}\n`);
	return file;
}

it('tells the service manager that it is ready, works, lives and stops', async () => {
	const bench = await setUpBench();
	const { heard, hears, within } = manager();
	const gate = await bench.start([], { within });
	await hears('READY=1');
	await hears('STATUS=1 lane(s) work');
	await hears('WATCHDOG=1');
	expect(await gate.stop()).toBe(0);
	await hears('STOPPING=1');
	expect(heard.filter((notice) => notice === 'READY=1')).toHaveLength(1);
});

it('is ready without its scanner, and says that it waits for it', async () => {
	const bench = await setUpBench();
	await bench.scanner.unplug();
	const { hears, within } = manager();
	startGate(bench.sets, { within });
	await hears('READY=1');
	await hears('STATUS=lane-1 waits for lane-1.scanner');
	await hears('WATCHDOG=1');
}, 60_000);

it('lets the gate of the mode free shut when it was killed', async () => {
	const bench = await setUpBench();
	const gate = await bench.start(['lanes.0.mode=free']);
	await until('the gate is held open', () => bench.board.isClosed(1));
	await gate.kill();
	const told = JSON.parse(await stileward('gate', 'relays-off', '--config', configOf(bench.data), '--json'));
	expect(told).toEqual({ board: 'lane-1.relay', off: [1], held: [] });
	await until('the coil falls', () => !bench.board.isClosed(1));
}, 60_000);

it('leaves the gate open that a fire holds when the agent was killed', async () => {
	const bench = await setUpTurnstile();
	const [ticket = ''] = await bench.issue();
	const gate = await bench.start();
	await bench.present(ticket);
	await until('the gate opens', () => bench.turnstile.isOpen('entry'));
	bench.turnstile.setContact('fire', true);
	const pulsedMs = Number(bench.board.edges.find(({ channel }) => channel === 1)?.atMs);
	// The board's own timer may end the pulse after the order to hold; the driver then orders it again.
	await until(
		'both ways are held open beyond the pulse',
		() => performance.now() > pulsedMs + 1_000 && bench.board.isClosed(1) && bench.board.isClosed(2),
	);
	await gate.kill();
	const orders = bench.board.edges.length;
	const told = JSON.parse(await stileward('gate', 'relays-off', '--config', configOf(bench.data), '--json'));
	expect(told).toEqual({ board: 'lane-1.relay', off: [], held: [1, 2] });
	expect(bench.board.edges.slice(orders).filter(({ channel }) => channel <= 2)).toEqual([]);
}, 60_000);

it('has nothing to switch off where no agent ever ran', async () => {
	expect(await stileward('gate', 'relays-off', '--config', configOf(temporaryFolder()))).toBe('');
});
