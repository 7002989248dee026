import { afterEach, describe, expect, test } from 'vitest';
import { scanBytesMax } from '../../../gate-agent/core/scan.ts';
import { type BluetoothOptions, bluetoothSource } from './bluetooth-source.ts';
import type { ScanSession } from './scan-source.ts';
import { ScriptedBluetooth, ScriptedScanner } from './testing/scripted-bluetooth.ts';
import { nordicUart } from './uart-profile.ts';

/** As a real one, but a hundredth as long where something is awaited. */
const timing = { connectMs: 150, answerMs: 100, pauseMs: 30, retryFirstMs: 2, retryMaxMs: 50 };
const patience = { timeout: 5_000, interval: 5 };
const verdicts = { good: Uint8Array.of(0x06), bad: Uint8Array.of(0x15) };

function scannerOf(id: string, advertises = false): ScriptedScanner {
	return new ScriptedScanner({ id, service: nordicUart.service, advertises });
}

describe('bluetooth', () => {
	let sessions: ScanSession[] = [];
	afterEach(() => {
		for (const session of sessions) session.stop();
		sessions = [];
	});

	/** A handheld and what it has read. */
	function handheld(bluetooth: ScriptedBluetooth | undefined, options: BluetoothOptions = {}) {
		const texts: string[] = [];
		const seen = { texts, unreadable: 0, lost: '' };
		const onUnreadable = () => {
			seen.unreadable += 1;
		};
		const source = bluetoothSource({ bluetooth, timing, random: () => 0, onUnreadable, ...options });
		const start = async () => {
			const session = await source.start((text) => texts.push(text));
			sessions.push(session);
			void session.lost.then((problem) => {
				seen.lost = problem;
			});
			return session;
		};
		return { seen, start };
	}

	async function started(options: BluetoothOptions = {}) {
		const scanner = scannerOf('a');
		const bluetooth = new ScriptedBluetooth();
		bluetooth.chosen = scanner;
		const { seen, start } = handheld(bluetooth, options);
		const session = await start();
		const say = (piece: Uint8Array | string) => scanner.notify(nordicUart.notify, piece);
		return { scanner, bluetooth, seen, session, say };
	}

	test('reads the scanner that a person chooses from those with its service', async () => {
		const profile = { ...nordicUart, namePrefixes: ['BT-'] };
		const { bluetooth, say, seen } = await started({ profile });
		expect(bluetooth.requests).toEqual([
			{
				filters: [{ services: [nordicUart.service] }, { namePrefix: 'BT-' }],
				optionalServices: [nordicUart.service],
			},
		]);
		say('SW1:A  B\r\n');
		expect(seen.texts).toEqual(['SW1:A  B']);
	});

	test('puts split notifications together, also without a suffix, and parts two codes in one', async () => {
		const { say, seen } = await started();
		say('SW1:A ');
		say(' B\r');
		say('\nSW1:C\nSW1:D\nSW');
		expect(seen.texts).toEqual(['SW1:A  B', 'SW1:C', 'SW1:D']);
		say('1:E  ');
		await expect.poll(() => seen.texts.at(-1), patience).toBe('SW1:E  ');
		expect(seen).toMatchObject({ unreadable: 0, lost: '' });
	});

	test('delivers nothing before it has begun', async () => {
		const scanner = scannerOf('a');
		const { promise: after, resolve } = Promise.withResolvers<void>();
		scanner.answers = { startNotifications: { after } };
		const { seen, start } = handheld(new ScriptedBluetooth([scanner]));
		const starting = start();
		const early = () => scanner.notify(nordicUart.notify, 'SW1:A\n');
		await expect.poll(early, patience).toBe(true);
		resolve();
		await starting;
		expect(seen.texts).toEqual([]);
		scanner.notify(nordicUart.notify, 'SW1:B\n');
		expect(seen.texts).toEqual(['SW1:B']);
	});

	test('tells once of a code that is too long, and reads the next', async () => {
		const { say, seen } = await started();
		for (let sent = 0; sent <= scanBytesMax; sent += 200) say('A'.repeat(200));
		say('\nSW1:C\n');
		expect(seen).toMatchObject({ texts: ['SW1:C'], unreadable: 1 });
	});

	test('connects again after the link was lost, and forgets the part of a code that came before', async () => {
		const { scanner, say, seen } = await started();
		say('SW1:torn');
		scanner.connects = [{ error: 'NetworkError' }, 'ok'];
		scanner.loseLink();
		await expect.poll(() => scanner.connectCount, patience).toBe(3);
		await readsAgain(say, seen.texts);
		await settled(2 * timing.pauseMs);
		expect(seen).toMatchObject({ lost: '', unreadable: 0 });
		expect(new Set(seen.texts)).toEqual(new Set(['SW1:B']));
	});

	test.each(['getPrimaryService', 'getCharacteristic', 'startNotifications'])(
		'tries anew when the browser never answers %s',
		async (method) => {
			const { scanner, say, seen } = await started();
			scanner.answers = { [method]: 'never' };
			scanner.loseLink();
			await expect.poll(() => scanner.connectCount, patience).toBe(3);
			scanner.answers = {};
			await readsAgain(say, seen.texts);
			expect(seen.texts).toEqual(['SW1:B']);
		},
	);

	test('tries anew when a connect never settles, and says so where it is the first', async () => {
		const { scanner, say, seen } = await started();
		scanner.connects = ['never', 'never'];
		scanner.loseLink();
		await readsAgain(say, seen.texts);
		expect(scanner.connectCount).toBe(4);

		const silent = scannerOf('b');
		silent.connects = ['never'];
		const { start } = handheld(new ScriptedBluetooth([silent]));
		await expect(start()).rejects.toMatchObject({ problem: 'device_lost' });
	});

	test('lets go of a scanner that connects after its time, when nobody waits for it', async () => {
		const scanner = scannerOf('a');
		const { promise: after, resolve } = Promise.withResolvers<void>();
		scanner.connects = [{ after }];
		const { start, seen } = handheld(new ScriptedBluetooth([scanner]));
		await expect(start()).rejects.toMatchObject({ problem: 'device_lost' });
		const left = new Promise((left) => scanner.addEventListener('gattserverdisconnected', left));
		resolve();
		await left;
		expect(scanner.isConnected).toBe(false);
		expect(seen.texts).toEqual([]);
	});

	test('delivers nothing after it is stopped, and lets go of the scanner', async () => {
		const { scanner, say, seen, session } = await started();
		say('SW1:B');
		session.stop();
		session.stop();
		say('\nSW1:C\n');
		expect(scanner.isConnected).toBe(false);
		await settled(timing.pauseMs + timing.retryMaxMs);
		expect(seen).toEqual({ texts: [], unreadable: 0, lost: '' });
		expect(scanner.connectCount).toBe(1);
	});

	test('delivers one code of two in a notification when the first one stops it', async () => {
		const scanner = scannerOf('a');
		const texts: string[] = [];
		const session = await bluetoothSource({ bluetooth: new ScriptedBluetooth([scanner]), timing }).start((text) => {
			texts.push(text);
			session.stop();
		});
		scanner.notify(nordicUart.notify, 'SW1:A\nSW1:B\n');
		expect(texts).toEqual(['SW1:A']);
	});

	test('stops in the middle of a connect', async () => {
		const { scanner, session, seen } = await started();
		scanner.connects = ['never'];
		scanner.loseLink();
		await expect.poll(() => scanner.connectCount, patience).toBe(2);
		session.stop();
		await settled(timing.connectMs + timing.retryMaxMs);
		expect(scanner).toMatchObject({ isConnected: false, connectCount: 2 });
		expect(seen.lost).toBe('');
	});

	test('finds a scanner that was allowed before without a tap, and another one when that is asked for', async () => {
		const [off, known, other] = [scannerOf('off'), scannerOf('known'), scannerOf('other')];
		off.connects = [{ error: 'NetworkError' }];
		const bluetooth = new ScriptedBluetooth([off, known]);
		bluetooth.chosen = other;
		await handheld(bluetooth).start();
		expect(bluetooth.requests).toEqual([]);
		expect(known.isConnected).toBe(true);
		await handheld(bluetooth, { choose: 'always' }).start();
		expect(other.isConnected).toBe(true);
	});

	test('connects to a known scanner that the browser has not seen yet as soon as it advertises itself', async () => {
		const scanner = scannerOf('a', true);
		scanner.connects = [{ error: 'NetworkError' }];
		await handheld(new ScriptedBluetooth([scanner])).start();
		expect(scanner).toMatchObject({ isConnected: true, connectCount: 2 });
	});

	test('is lost when the scanner is not allowed any more', async () => {
		const { scanner, seen } = await started();
		scanner.connects = [{ error: 'SecurityError' }];
		scanner.loseLink();
		await expect.poll(() => seen.lost, patience).toBe('bluetooth_denied');

		const other = scannerOf('b');
		const allowed = [other];
		const { seen: seenOther, start } = handheld(new ScriptedBluetooth(allowed));
		await start();
		allowed.pop();
		other.connects = [{ error: 'NetworkError' }];
		other.loseLink();
		await expect.poll(() => seenOther.lost, patience).toBe('bluetooth_denied');
	});

	test.each([
		['a person closes the list', 'NotFoundError', true, 'bluetooth_denied'],
		['no tap called it', 'SecurityError', true, 'bluetooth_denied'],
		['there is no radio', 'NotFoundError', false, 'not_supported'],
	])('says why it cannot begin: %s', async (_, error, hasRadio, problem) => {
		const bluetooth = new ScriptedBluetooth();
		Object.assign(bluetooth, { chosen: { error }, hasRadio });
		await expect(handheld(bluetooth).start()).rejects.toMatchObject({ problem });
	});

	test('says why it cannot begin: another kind of device, and no Bluetooth in this browser', async () => {
		const scanner = scannerOf('a');
		const bluetooth = new ScriptedBluetooth([scanner]);
		const profile = { ...nordicUart, service: '0000ffe0-0000-1000-8000-00805f9b34fb' };
		await expect(handheld(bluetooth, { profile }).start()).rejects.toMatchObject({ problem: 'not_supported' });
		expect(scanner.isConnected).toBe(false);
		await expect(handheld(undefined).start()).rejects.toMatchObject({ problem: 'not_supported' });
	});

	test('shows a verdict with the bytes of its profile, and has no way to where there are none', async () => {
		const { session } = await started();
		expect(session.signal).toBeUndefined();
		const { scanner, session: withVerdicts } = await started({ profile: { ...nordicUart, verdicts } });
		withVerdicts.signal?.(true);
		await expect.poll(() => scanner.written, patience).toEqual([[0x06]]);
		withVerdicts.signal?.(false);
		await expect.poll(() => scanner.written, patience).toEqual([[0x06], [0x15]]);
	});

	test('never writes two verdicts at once: of those that wait, the last one', async () => {
		const { scanner, session } = await started({ profile: { ...nordicUart, verdicts } });
		const gate = Promise.withResolvers<void>();
		scanner.answers = { write: { after: gate.promise } };
		for (const good of [true, true, true, false]) session.signal?.(good);
		gate.resolve();
		await expect.poll(() => scanner.written, patience).toEqual([[0x06], [0x15]]);
		expect(scanner.writesAtOnceMax).toBe(1);
	});

	test('reads on after a write that is refused, and connects again after one that never settles', async () => {
		const { scanner, session, say, seen } = await started({ profile: { ...nordicUart, verdicts } });
		scanner.answers = { write: { error: 'NotSupportedError' } };
		session.signal?.(true);
		say('SW1:A\n');
		await settled(timing.answerMs);
		expect(scanner.connectCount).toBe(1);
		scanner.answers = { write: 'never' };
		session.signal?.(true);
		await expect.poll(() => scanner.connectCount, patience).toBe(2);
		scanner.answers = {};
		const shown = () => {
			session.signal?.(true);
			return scanner.written.length;
		};
		await expect.poll(shown, patience).toBeGreaterThan(0);
		expect(seen.texts).toEqual(['SW1:A']);
	});

	test('a verdict without a link goes nowhere', async () => {
		const { scanner, session } = await started({ profile: { ...nordicUart, verdicts } });
		scanner.connects = ['never'];
		scanner.loseLink();
		session.signal?.(true);
		session.stop();
		session.signal?.(false);
		expect(scanner.written).toEqual([]);
	});
});

/** Shows a code again and again until it is read. */
async function readsAgain(say: (piece: string) => void, texts: readonly string[]): Promise<void> {
	const read = () => {
		say('SW1:B\n');
		return texts.length;
	};
	await expect.poll(read, patience).toBeGreaterThan(0);
}

/** Lets everything happen that would happen within this time. */
function settled(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
