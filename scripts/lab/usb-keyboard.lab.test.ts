import { expect, onTestFinished, test } from 'vitest';
import type { Scan } from '../../gate-agent/core/scan.ts';
import { untilThere } from '../../gate-agent/nodes/until-there.suite.ts';
import { hidKeyboard } from '../../gate-agent/scanners/hid-keyboard.ts';
import { openHost } from './ask-host.ts';
import { slowness } from './slowness.ts';

const patience = { timeout: 20_000 * slowness };

/** The guest polls a keyboard every ten milliseconds, when it comes to it; QEMU keeps sixteen edges. */
const edgeMs = 40;

/** QEMU's USB keyboard. */
const device = '0627:0001';

test('a USB keyboard of the machine as a scanner, pulled in the middle of a code', async ({ task }) => {
	const host = openHost();
	onTestFinished(() => host.close());
	const scans: Scan[] = [];
	const io = { nowMs: () => performance.now(), log: () => {}, onScan: (scan: Scan) => void scans.push(scan) };
	// Slow keys are one code all the same.
	const options = { device, idleTimeoutMs: 5_000 };
	const open = async () => {
		const opened = await untilThere(() => hidKeyboard.open(options, io));
		onTestFinished(() => opened.close());
		return opened;
	};
	const type = (text: string) => host.ask({ do: 'type', text, gapMs: edgeMs * slowness });
	await host.ask({ do: 'plug', device: 'keyboard' });
	const scanner = await open();
	await type('SW1:A  B$%*+-./:Z\n');
	const first = { kind: 'code', text: 'SW1:A  B$%*+-./:Z' };
	await expect.poll(() => scans, patience).toMatchObject([first]);
	await type('SW1:HALF');
	await host.ask({ do: 'unplug', device: 'keyboard' });
	expect(await scanner.lost).toMatchObject({ code: 'device_lost' });
	await scanner.close();
	const pluggedMs = performance.now();
	await host.ask({ do: 'plug', device: 'keyboard' });
	const again = await open();
	const backMs = performance.now() - pluggedMs;
	expect(backMs).toBeLessThan(5_000 * slowness);
	await type('REST\nGOOD  ONE\n');
	await expect.poll(() => scans.at(-1), patience).toMatchObject({ kind: 'code', text: 'GOOD  ONE' });
	expect(scans.some((scan) => scan.kind === 'code' && scan.text.includes('HALF'))).toBe(false);
	await again.close();
	await host.ask({ do: 'unplug', device: 'keyboard' });
	Object.assign(task.meta, {
		figures: {
			sent: '4 codes, one of them torn by the unplug',
			seen: '3 codes',
			'open again after': `${backMs.toFixed(0)} ms`,
		},
	});
});
