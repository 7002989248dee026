import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModel } from '../device-models.ts';
import type { VenueHealth } from '../venue-link.ts';
import { devicesCheck } from './devices.ts';
import { codesOf, configWith, emptyMachine, healthWith, pluggedDevice, put, stoppedGate } from './fake-gate.suite.ts';
import { inputsCheck } from './inputs.ts';
import { ledgerCheck } from './ledger.ts';
import { relayCheck } from './relay.ts';
import { scannerCheck } from './scanner.ts';
import { venueCheck } from './venue.ts';

describe('devices', () => {
	const xenon = { driver: 'hid-pos', device: '0c2e:0b61' };
	it('are named with what is plugged in where one is missing', async () => {
		const gate = stoppedGate({ config: configWith({ scanner: xenon }), plugged: [pluggedDevice({})] });
		const [finding] = await devicesCheck.run(gate, emptyMachine());
		expect(finding).toMatchObject({
			code: 'device_absent',
			evidence: { plugged: expect.stringContaining('by-path/usb-0:1') },
		});
	});

	it('a scanner that types in the place of one in POS mode is told by its maker, one on a serial line by its name', async () => {
		const keyboard = pluggedDevice({
			kind: 'keyboard',
			id: '0c2e:0901',
			name: 'Honeywell 1950',
			path: '/dev/input/event3',
			lasting: {},
		});
		const pos = stoppedGate({ config: configWith({ scanner: xenon }), plugged: [keyboard] });
		expect(await codesOf(devicesCheck, pos)).toEqual(['scanner_types']);
		const named = { ...keyboard, id: 'ffff:0001', name: 'Barcode Scanner' };
		const serial = stoppedGate({
			config: configWith({ scanner: { driver: 'serial-line', path: '/dev/nothing' } }),
			plugged: [named],
		});
		expect(await codesOf(devicesCheck, serial)).toEqual(['scanner_types']);
		const desk = { ...keyboard, id: '046d:c31c', name: 'USB Keyboard' };
		expect(await codesOf(devicesCheck, { ...serial, plugged: [desk] })).toEqual(['device_absent']);
	});

	it('a device of another model at the path, and a name that does not last', async () => {
		const model = readModel('scanners', 'zebra-ssi');
		const here = pluggedDevice({
			id: '05e0:1701',
			path: '/dev/null',
			models: [model],
			lasting: { path: '/dev/serial/by-id/zebra' },
		});
		const relay = { driver: 'serial-lcus', path: '/dev/null' };
		const gate = stoppedGate({ config: configWith({ relay }), plugged: [here] });
		expect(await codesOf(devicesCheck, gate)).toEqual(['name_not_lasting', 'device_other_model']);
		// A board that works is what it should be.
		const health = healthWith({ devices: { 'lane-1.relay': { state: 'ready' } } });
		expect(await codesOf(devicesCheck, { ...gate, agent: { health } })).toEqual(['name_not_lasting']);
	});
});

describe('a running gate tells', () => {
	const board = {
		relay: { driver: 'modbus-waveshare', path: '/dev/bus' },
		inputs: { driver: 'modbus-discrete', path: '/dev/bus', contacts: { fire: { channel: 3 } } },
	};
	const config = configWith(board);
	const withDevice = (name: string, device: Parameters<typeof healthWith>[0] extends infer _ ? object : never) =>
		stoppedGate({ config, agent: { health: healthWith({ devices: { [name]: { state: 'degraded', ...device } } }) } });

	it.each([
		['device_timeout', 'relay_silent'],
		['device_lost', 'relay_silent'],
		['device_protocol', 'relay_protocol'],
		['device_denied', 'relay_skipped'],
	])('a board that failed with %s: %s', async (code, expected) => {
		expect(await codesOf(relayCheck, withDevice('lane-1.relay', { code, problem: 'no answer' }))).toEqual([expected]);
	});

	it('who ends the pulses', async () => {
		const gate = stoppedGate({ config: configWith({ relay: { driver: 'serial-lcus', path: '/dev/board' } }) });
		expect(await codesOf(relayCheck, gate)).toEqual(['relay_skipped', 'pulse_by_host']);
	});

	const lane = (over: object) => {
		const whole = healthWith();
		const [status] = Object.values(whole.lanes);
		const lanes = { 'lane-1': { ...status, ...over } } as typeof whole.lanes;
		const devices = { 'lane-1.inputs': { state: 'ready' } } as const;
		return stoppedGate({ config, agent: { health: { ...whole, lanes, devices } } });
	};
	it.each([
		[{}, ['inputs_ok']],
		[{ fire: 'active' }, ['fire_active']],
		[{ passing: ['entry'] }, ['passage_stuck']],
		[{ alarms: ['open_too_long'] }, ['passage_stuck']],
		[{ fire: 'active', passing: ['entry'] }, ['inputs_swapped']],
		[{ emergency: true, sensor: 'dead' }, ['inputs_swapped']],
		[{ sensor: 'dead' }, ['sensor_dead']],
		[{ alarms: ['tamper'] }, ['tamper_active']],
	])('of its contacts %j: %j', async (over, codes) => {
		expect(await codesOf(inputsCheck, lane(over))).toEqual(codes);
	});

	it.each([
		[10, 1, 'scanner_ok'],
		[4, 2, 'scanner_ok'],
		[6, 5, 'scanner_unreadable'],
	])('of %i scans that %i were unreadable: %s', async (scans, unreadable, code) => {
		const metrics = `stileward_scans_total{lane="lane-1"} ${scans}\nstileward_refusals_total{lane="lane-1",reason="unreadable"} ${unreadable}\n`;
		const health = healthWith({ devices: { 'lane-1.scanner': { state: 'ready' } } });
		expect(await codesOf(scannerCheck, stoppedGate({ agent: { health, metrics } }))).toEqual([code]);
	});

	it('how its ledger does', async () => {
		const gate = (ledger: object) =>
			stoppedGate({
				dataDir: '/data',
				agent: { health: healthWith({ ledger: { ...healthWith().ledger, ...ledger } }) },
			});
		expect(await codesOf(ledgerCheck, gate({}))).toEqual(['ledger_ok']);
		expect(await codesOf(ledgerCheck, gate({ ok: false, problem: 'ledger_full' }))).toEqual(['ledger_failing']);
		expect(await codesOf(ledgerCheck, gate({ ok: false, integrity: 'damaged' }))).toEqual(['ledger_damaged']);
		expect(await codesOf(ledgerCheck, gate({ setAside: 'ledger.db.damaged' }))).toEqual(['ledger_set_aside']);
	});
});

describe('a ledger that nobody uses', () => {
	it('is verified; there may be none yet', async () => {
		const { root } = emptyMachine();
		expect(await codesOf(ledgerCheck, stoppedGate({ dataDir: root }))).toEqual(['ledger_new']);
		put(root, 'ledger.db', 'no database');
		expect(await codesOf(ledgerCheck, stoppedGate({ dataDir: root }))).toEqual(['ledger_damaged']);
		expect(await codesOf(ledgerCheck, stoppedGate({ dataDir: join(root, 'nothing') }))).toEqual(['ledger_new']);
	});
});

describe('how a gate stands with its venue', () => {
	// What the enrollment says of keys plays no part here.
	const enrolled = { enrollment: { venue: 'harbor', url: 'https://hub' } } as unknown as NonNullable<
		ReturnType<typeof stoppedGate>['enrolled']
	>;
	const usual: VenueHealth = {
		...{ venue: 'harbor', device: 'd', server: 's', state: 'online', waiting: 0, journal: 'accepted', lostClaims: 0 },
		...{ authority: 'reachable', standing: 'active', listsStale: false, listAgeMs: 900 },
	};
	it.each([
		[{}, ['venue_ok']],
		[{ state: 'offline', problem: 'timeout' }, ['venue_offline']],
		[{ listsStale: true }, ['lists_stale']],
		[{ waiting: 5_000 }, ['queue_long']],
		[{ authority: 'unreachable' }, ['authority_unreachable']],
		[{ journal: 'quarantined' }, ['device_quarantined']],
		[{ standing: 'quarantined', state: 'offline' }, ['device_quarantined', 'venue_offline']],
		[{ standing: 'disabled' }, ['device_disabled']],
	])('%j: %j', async (over, codes) => {
		const health = healthWith({ venue: { ...usual, ...over } as VenueHealth });
		expect(await codesOf(venueCheck, stoppedGate({ enrolled, agent: { health } }))).toEqual(codes);
	});
});
