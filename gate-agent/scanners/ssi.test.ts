import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Scan } from '../core/scan.ts';
import { openSsiEmulator } from '../emulators/ssi-emulator.ts';
import { describeScans } from './scans.suite.ts';
import { type SsiOptions, ssi } from './ssi.ts';
import { encodeSsi, readSsi, ssiOpcode } from './ssi-frame.ts';

const options = (path: string, heartbeatMs = 10_000): SsiOptions => ({
	...{ path, baudRate: 115_200, dataBits: 8, parity: 'none', stopBits: 1, aim: 'strip', heartbeatMs },
});
const io = { nowMs: () => performance.now(), log: () => {} };

describeScans(
	'ssi',
	async () => {
		const emulator = await openSsiEmulator();
		return {
			open: (events) => ssi.open(options(emulator.path), { ...io, ...events }),
			present: emulator.present,
			tear: (code) => emulator.tear(code.repeat(5)),
			unplug: emulator.pty.unplug,
			replug: emulator.pty.replug,
			close: emulator.close,
		};
	},
	{ tellsAim: true, longest: 2_048 },
);

async function opened(heartbeatMs?: number) {
	const emulator = await openSsiEmulator();
	const scans: Scan[] = [];
	const scanner = await ssi.open(options(emulator.path, heartbeatMs), {
		...io,
		onScan: (scan) => void scans.push(scan),
	});
	onTestFinished(async () => {
		await scanner.close();
		await emulator.close();
	});
	return { emulator, scans, scanner };
}

describe('an SSI scanner', () => {
	it('beeps each verdict of its own scan once', async () => {
		const { emulator, scans, scanner } = await opened();
		for (const signal of ['granted', 'refused'] as const) {
			const before = scans.length;
			await emulator.present('CODE');
			await expect.poll(() => scans.length, { timeout: 5_000 }).toBe(before + 1);
			scanner.signal?.(signal);
			scanner.signal?.('refused');
		}
		await expect.poll(() => emulator.beeps, { timeout: 5_000 }).toEqual([0x00, 0x0f]);
	});

	it('that sends a packet again, because its acknowledgement was lost, has read it once', async () => {
		const { emulator, scans } = await opened();
		emulator.loseAcks(1);
		await emulator.present('CODE');
		await emulator.present('NEXT');
		await expect.poll(() => scans, { timeout: 5_000 }).toMatchObject([{ text: 'CODE' }, { text: 'NEXT' }]);
	});

	it('that hangs is lost', async () => {
		const { emulator, scanner } = await opened(500);
		emulator.hang();
		await expect(scanner.lost).resolves.toMatchObject({ code: 'device_lost' });
	});

	it('that is none is told', async () => {
		const emulator = await openSsiEmulator();
		onTestFinished(() => emulator.close());
		emulator.hang();
		await expect(ssi.open(options(emulator.path), { ...io, onScan: () => {} })).rejects.toMatchObject({
			code: 'device_timeout',
		});
	});
});

describe('packets', () => {
	it.each([
		[ssiOpcode.ack, [], '04d00400ff28'],
		[ssiOpcode.nak, [0x01], '05d1040001ff25'],
		[ssiOpcode.scanEnable, [], '04e90400ff0f'],
		[ssiOpcode.beep, [0x00], '05e6040000ff11'],
	] as const)('of %i are those of the manual', (opcode, data, hex) => {
		expect(Buffer.from(encodeSsi(opcode, data)).toString('hex')).toBe(hex);
	});

	it('are read whatever stands before them, and nothing throws', () => {
		const packet = encodeSsi(ssiOpcode.decodeData, [0xf1, ...Buffer.from('CODE')], 0);
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
				readSsi(noise);
				// Zeros are no header, so that what follows them is found.
				const { packets } = readSsi(Uint8Array.of(0, 0, ...packet));
				expect(packets.map(({ data }) => Buffer.from(data.subarray(1)).toString())).toEqual(['CODE']);
			}),
		);
	});
});
