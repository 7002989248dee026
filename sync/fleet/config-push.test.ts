import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patienceMs } from '../acceptance/venue.suite.ts';
import { admitted, lanesOf, pushText, runs, untilReported, untilRuns } from './config-push.suite.ts';
import {
	expectWholeAtServer,
	type Fleet,
	type FleetGate,
	openFleet,
	openingsAt,
	soon,
	untilInStep,
	verdictOn,
} from './fleet.suite.ts';

const timeout = 300_000;

let fleet: Fleet;
beforeAll(async () => {
	fleet = await openFleet();
}, timeout);
afterAll(() => fleet[Symbol.asyncDispose](), timeout);

/** A gate that runs and follows its server. */
async function gateAtWork(name: string, ...args: readonly string[]): Promise<FleetGate> {
	const gate = await fleet.gate(name);
	await gate.start({ args });
	await untilInStep(gate);
	return gate;
}

/** Its scanner is looked for where there is none. */
const wrongPort = (gate: FleetGate) =>
	lanesOf(gate).replace(
		/scanner: \{ driver: serial-line, path: [^,]+,/,
		'scanner: { driver: serial-line, path: /dev/nowhere,',
	);

describe('a configuration that the office pushes', () => {
	it('is tried while visitors come, and none is lost or admitted twice', { timeout }, async () => {
		const gate = await gateAtWork('east');
		const openings = openingsAt(gate);
		const tickets = await fleet.sell('adult', 40);
		const [first, ...rest] = tickets;
		if (first) await admitted(gate, first);
		const file = join(gate.dir, 'pushed.yaml');
		writeFileSync(
			file,
			`${lanesOf(gate).replace('holdOffMs: 0', 'holdOffMs: 0\n    verdictMs: 3000')}log: { level: debug }\n`,
		);
		const pushed = fleet.venue.done(
			'config',
			'push',
			'--gate',
			'east',
			'--file',
			file,
			'--note',
			'shorter verdicts',
			'--json',
		);
		for (const ticket of rest) await admitted(gate, ticket);
		expect(JSON.parse(await pushed)).toMatchObject({ version: 1, by: 'mina', note: 'shorter verdicts' });
		await untilRuns(gate, { state: 'confirmed', version: 1 });
		await untilReported(fleet, gate, { state: 'confirmed', version: 1 });
		expect(gate.running().lines.filter(({ event }) => event === 'started')).toHaveLength(2);
		await expect.poll(openings, { timeout: patienceMs }).toEqual([tickets.length]);
		for (const ticket of tickets) expect((await verdictOn(gate, ticket)).reason).toBe('already_redeemed');
		await untilInStep(gate);
		await expectWholeAtServer(fleet, [gate]);
		expect([openings(), await fleet.cases()]).toEqual([[tickets.length], []]);
		const history = await fleet.venue.done('config', 'history', '--gate', 'east');
		expect(history).toMatch(/1 +20\d\d-.* mina +[\w-]{8} +shorter verdicts/);
		expect(await fleet.venue.done('device', 'list')).toMatch(/east-1 entry idle +1 +[\w-]{8}/);
		expect(await fleet.venue.done('config', 'status')).toMatch(/east +1 +1 +20\d\d-.* by mina: shorter verdicts/);
	});

	it('is refused where it is not valid, and the lane works on', { timeout }, async () => {
		const gate = await gateAtWork('bad');
		const openings = openingsAt(gate);
		const tickets = (await fleet.sell('adult', 12)).values();
		const lanes = lanesOf(gate);
		const bad = [
			['lanes: []', 'lanes'],
			['lanes: [{ id: x }]', 'lanes.0.scanner is missing'],
			['lanes: [null, 7]', 'lanes'],
			[
				lanes.replace('driver: serial-line, path', 'model: no-such-scanner, path'),
				'lanes.0.scanner.model (line 4) names no model',
			],
			[lanes.replace('serial-lcus', 'serial-nothing'), 'serial-nothing'],
			[`${lanes}venue: { timeZone: Mars/Olympus }\n`, 'venue.timeZone'],
		] as const;
		for (const [text, why] of bad) {
			const version = await pushText(fleet, gate, text);
			const { refused } = await untilRuns(gate, {
				state: 'own',
				refused: { version, why: expect.stringContaining(why) },
			});
			expect(refused?.version).toBe(version);
			const ticket = tickets.next().value;
			if (ticket) expect(await verdictOn(gate, ticket)).toMatchObject({ event: 'granted', rung: 'authority' });
		}
		for (const part of [
			'data: /tmp/elsewhere',
			'http: { host: 0.0.0.0 }',
			'keys: /etc',
			'agent: other',
			'event: opera',
		]) {
			const { status, body } = await fleet.venue.office({
				method: 'POST',
				path: '/v1/office/configs/bad',
				body: { text: `${lanes}${part}\n` },
			});
			expect(status).toBe(400);
			expect(body).toMatchObject({
				code: 'malformed',
				detail: expect.stringContaining(part.slice(0, part.indexOf(':'))),
			});
		}
		await untilReported(fleet, gate, {
			state: 'own',
			refused: { version: bad.length, why: expect.stringContaining('Mars') },
		});
		expect(gate.running().lines.filter(({ event }) => event === 'started')).toHaveLength(1);
		await expect.poll(openings, { timeout: patienceMs }).toEqual([bad.length]);
		const file = join(gate.dir, 'pushed.yaml');
		writeFileSync(file, `data: /tmp\n${lanes}`);
		expect(await fleet.venue.cli(['config', 'push', '--gate', 'bad', '--file', file])).toMatchObject({
			code: 3,
			out: '',
		});
	});

	it('is given up where its lanes are not ready in time, and tried again only when it is pushed again', {
		timeout,
	}, async () => {
		const gate = await gateAtWork('west', '--config-trial', '4');
		const openings = openingsAt(gate);
		const [a, b, c] = await fleet.sell('adult', 3);
		if (!a || !b || !c) throw new Error('three tickets were sold');
		await admitted(gate, a);
		const version = await pushText(fleet, gate, wrongPort(gate));
		await untilRuns(gate, { state: 'trial', version });
		const why = expect.stringMatching(/not ready within 4 s: west-1\.scanner is absent: .*nowhere/);
		await untilRuns(gate, { state: 'own', refused: { version, why } });
		await untilReported(fleet, gate, { state: 'own', refused: { version, why } });
		await admitted(gate, b);
		expect(await fleet.venue.done('config', 'status')).toMatch(/west +1 +own file ! 1 refused: not ready/);
		// Neither a new start nor a new connection tries it again.
		expect(await gate.running().stop()).toBe(0);
		await gate.start({ args: ['--config-trial', '4'] });
		await untilInStep(gate);
		await admitted(gate, c);
		expect(await runs(gate)).toMatchObject({ state: 'own', refused: { version } });
		expect(gate.running().lines.filter(({ event }) => event === 'config_trial')).toEqual([]);
		const again = JSON.parse(
			await fleet.venue.done('config', 'rollback', '--gate', 'west', '--to', `${version}`, '--json'),
		);
		expect(again).toMatchObject({ version: version + 1, copyOf: version });
		await untilRuns(gate, { state: 'trial', version: version + 1 });
		await untilRuns(gate, { state: 'own', refused: { version: version + 1, why } });
		await expect.poll(openings, { timeout: patienceMs }).toEqual([3]);
	});

	it('is forgotten by a start after a process that was killed in the middle of its trial', { timeout }, async () => {
		const gate = await gateAtWork('north', '--config-trial', '3600');
		const openings = openingsAt(gate);
		const [a, b] = await fleet.sell('adult', 2);
		if (!a || !b) throw new Error('two tickets were sold');
		const good = await pushText(fleet, gate, lanesOf(gate));
		await untilRuns(gate, { state: 'confirmed', version: good });
		await admitted(gate, a);
		const bad = await pushText(fleet, gate, wrongPort(gate));
		await untilRuns(gate, { state: 'trial', version: bad });
		await gate.running().kill();
		gate.cable.cut();
		await gate.start({ args: ['--config-trial', '3600'] });
		expect(await runs(gate)).toMatchObject({ state: 'confirmed', version: good, refused: { version: bad } });
		gate.cable.heal();
		await untilInStep(gate);
		await admitted(gate, b);
		const why = expect.stringContaining('lost its power during the trial');
		await untilReported(fleet, gate, { state: 'confirmed', version: good, refused: { version: bad, why } });
		await expect.poll(openings, { timeout: patienceMs }).toEqual([2]);
	});

	it('arrives after its server was killed, and of two in a row the newer one stays', { timeout }, async () => {
		const gate = await gateAtWork('south');
		const [one, two] = [lanesOf(gate), lanesOf(gate).replace('pulseMs: 50', 'pulseMs: 60')];
		gate.cable.cut();
		await pushText(fleet, gate, one);
		await fleet.venue.end('SIGKILL');
		await fleet.venue.start();
		gate.cable.heal();
		await untilRuns(gate, { version: 1 });
		const [second, third] = [await pushText(fleet, gate, wrongPort(gate)), await pushText(fleet, gate, two)];
		expect([second, third]).toEqual([2, 3]);
		await untilRuns(gate, { state: 'confirmed', version: 3 });
		const [ticket] = await fleet.sell('adult', 1);
		if (ticket) await admitted(gate, ticket);
		await expect.poll(() => gate.opened(), { timeout: patienceMs }).toBe(1);
	});

	it('waits for a visitor who is on the way through', { timeout }, async () => {
		const gate = await fleet.gate('sensor');
		const waiting =
			'inputs: { driver: simulated, contacts: { passage: {} } }\n    passageTimeoutMs: 20000\n    scanner';
		const sensed = lanesOf(gate).replace('scanner', waiting);
		writeFileSync(gate.config, `agent: sensor\ndata: ${gate.data}\n${sensed}`);
		await gate.start();
		await untilInStep(gate);
		const [ticket] = await fleet.sell('adult', 1);
		if (!ticket) throw new Error('a ticket was sold');
		const { lines } = gate.running();
		await gate.present(ticket);
		await soon(gate, 0, ({ event }) => event === 'granted');
		await pushText(fleet, gate, `${sensed}log: { level: debug }\n`);
		await soon(gate, 0, ({ event }) => event === 'config_waits');
		await untilRuns(gate, { state: 'confirmed', version: 1 });
		const told = lines.flatMap(({ event }) => (event === 'settled' || event === 'config_trial' ? [event] : []));
		expect(told).toEqual(['settled', 'config_trial']);
		expect(lines.find(({ event }) => event === 'config_waits')).toMatchObject({ version: 1, for: 'passage' });
		expect(await gate.rows('settled')).toMatchObject([{ outcome: 'not_taken' }]);
		await expect.poll(() => gate.opened(), { timeout: patienceMs }).toBe(1);

		// A mode that was ordered outlives a new configuration, unless that has another mode than the one before.
		const order = ['device', 'command', '--device', 'sensor', '--lane', 'sensor-1', '--order', 'set_mode'];
		await fleet.venue.done(...order, '--mode', 'exit', '--seconds', '60');
		const mode = async () => (await gate.running().lane('sensor-1')).mode;
		await expect.poll(mode, { timeout: patienceMs }).toBe('exit');
		await pushText(fleet, gate, `${sensed}log: { level: info }\n`);
		await untilRuns(gate, { state: 'confirmed', version: 2 });
		expect(await mode()).toBe('exit');
		await pushText(fleet, gate, sensed.replace('- id: sensor-1', '- id: sensor-1\n    mode: locked'));
		await untilRuns(gate, { state: 'confirmed', version: 3 });
		await expect.poll(mode, { timeout: patienceMs }).toBe('locked');
		const ordered = (await gate.rows('lane')).map((row) => [row.mode, row.by]);
		expect(ordered).toEqual([
			['exit', 'mina'],
			['locked', 'configuration 3'],
		]);
	});
});
