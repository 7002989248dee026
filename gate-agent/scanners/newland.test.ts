import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Scan } from '../core/scan.ts';
import { openNewlandEmulator } from '../emulators/newland-emulator.ts';
import { type NewlandOptions, newland } from './newland.ts';
import { feedNewland, newlandPacket, newlandStart } from './newland-packets.ts';
import { feedAll } from './scan-language.suite.ts';
import { describeScans } from './scans.suite.ts';

const options = (path: string, answerMs = 1_500): NewlandOptions => ({
	...{ path, baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, aim: 'strip', answerMs },
});
const io = { nowMs: () => performance.now(), log: () => {} };

describeScans(
	'newland',
	async () => {
		const emulator = await openNewlandEmulator(newlandPacket);
		return {
			open: (events) => newland.open(options(emulator.path, 50), { ...io, ...events }),
			present: async (code) => {
				await emulator.present(code);
				// The scanner reads nothing new before its packet is answered.
				await new Promise((resolve) => setTimeout(resolve, 750));
			},
			tear: (code) => emulator.pty.write(newlandPacket(Buffer.from(code)).subarray(0, 60)),
			unplug: emulator.pty.unplug,
			replug: emulator.pty.replug,
			close: emulator.close,
		};
	},
	{ tellsAim: true, longest: 2_048 },
);

async function opened(answerMs?: number) {
	const emulator = await openNewlandEmulator(newlandPacket);
	const scans: Scan[] = [];
	const logged: string[] = [];
	const scanner = await newland.open(options(emulator.path, answerMs), {
		nowMs: io.nowMs,
		log: (event) => void logged.push(event),
		onScan: (scan) => void scans.push(scan),
	});
	onTestFinished(async () => {
		await scanner.close();
		await emulator.close();
	});
	return { emulator, scans, logged, scanner };
}

describe('a Newland scanner', () => {
	it('beeps what is good and vibrates what is not, once for each scan', async () => {
		const { emulator, scans, scanner } = await opened();
		for (const [code, signal] of [
			['ONE', 'granted'],
			['TWO', 'refused'],
			['THREE', 'cue'],
		] as const) {
			const before = scans.length;
			await emulator.present(code);
			await expect.poll(() => scans.length, { timeout: 5_000 }).toBe(before + 1);
			scanner.signal?.('wait');
			scanner.signal?.(signal);
			scanner.signal?.('refused');
		}
		await expect.poll(() => emulator.told, { timeout: 5_000 }).toEqual(['good', 'bad', 'good']);
	});

	it('is answered neutrally where no verdict comes', async () => {
		const { emulator } = await opened(60);
		await emulator.present('ONE');
		await expect.poll(() => emulator.told, { timeout: 5_000 }).toEqual(['neutral']);
	});

	it('that repeats its packet has read it once', async () => {
		const { emulator, scans, scanner } = await opened();
		await emulator.present('ONE');
		await emulator.present('ONE');
		await expect.poll(() => scans.length, { timeout: 5_000 }).toBe(1);
		scanner.signal?.('granted');
		await emulator.present('ONE');
		await expect.poll(() => emulator.told, { timeout: 5_000 }).toEqual(['good', 'good']);
		expect(scans).toHaveLength(1);
	});

	it('is read without packet mode, too, and the log says so once', async () => {
		const { emulator, scans, logged } = await opened();
		await emulator.pty.write('PLAIN  ONE\rPLAIN TWO\r\n');
		await expect.poll(() => scans, { timeout: 5_000 }).toMatchObject([{ text: 'PLAIN  ONE' }, { text: 'PLAIN TWO' }]);
		expect(logged).toEqual(['packet_mode_off']);
	});

	it('sends the packet of its manual', () => {
		expect(Buffer.from(newlandPacket(Buffer.from('12'))).toString('hex')).toBe('7e013030303000023132' + '3b0303');
	});
});

const packets = { start: newlandStart, feed: feedNewland };

describe('packets', () => {
	it('are the same however the line cuts them', () => {
		const codes = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 4 });
		fc.assert(
			fc.property(codes, fc.integer({ min: 1, max: 50 }), (all, size) => {
				const bytes = Uint8Array.from(all.flatMap((data) => [...newlandPacket(data)]));
				const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
					bytes.subarray(n * size, (n + 1) * size),
				);
				const { items: events } = feedAll(packets, parts);
				expect(events).toEqual(all.map((data) => ({ kind: 'packet', data: Uint8Array.from(data) })));
			}),
		);
	});

	it('that are spoiled cost themselves and nothing else', () => {
		const good = newlandPacket(Buffer.from('GOOD'));
		const bad = newlandPacket(Buffer.from('SPOILED'));
		bad[10] = 0x00;
		const { items: events } = feedAll(packets, [bad, Uint8Array.of(0x0d), good]);
		expect(events.at(-1)).toEqual({ kind: 'packet', data: Uint8Array.from(Buffer.from('GOOD')) });
		expect(events.filter(({ kind }) => kind === 'packet')).toHaveLength(1);
	});

	it('never throw and never keep more than one packet', () => {
		fc.assert(
			fc.property(fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 20 }), (parts) => {
				expect(feedAll(packets, parts).state.pending.length).toBeLessThan(10_000);
			}),
		);
	});
});
