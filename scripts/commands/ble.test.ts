import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { nordicUart } from '../../handheld/ble/nordic-uart.ts';
import { runCli } from './cli.suite.ts';

const address = 'c0:00:00:00:00:01';

/** A radio with one scanner that reads a code again and again. */
function adapter(codes: readonly string[]): string {
	const dir = mkdtempSync(join(tmpdir(), 'stileward-ble-'));
	onTestFinished(() => rmSync(dir, { recursive: true }));
	const file = join(dir, 'radio.json');
	writeFileSync(file, JSON.stringify([{ address, name: 'BS80-0001', codes, everyMs: 200 }]));
	return `replay:${file}`;
}

it('lists what advertises', async () => {
	const { out, code } = await runCli(['ble', 'scan', '--adapter', adapter([]), '--seconds', '1', '--json']);
	expect(code).toBe(0);
	expect(JSON.parse(out)).toMatchObject({ address, name: 'BS80-0001', rssi: -55 });
	const people = await runCli(['ble', 'scan', '--adapter', adapter([]), '--seconds', '1']);
	expect(people.out).toMatch(/c0:00:00:00:00:01 +-55 dBm +BS80-0001 +Nordic UART/);
});

it('learns a scanner from a test scan, and never shows the code', async () => {
	const args = ['ble', 'learn', '--adapter', adapter(['SECRET']), '--name', 'BS80', '--seconds', '10'];
	const { out, err, code } = await runCli(args);
	expect(code).toBe(0);
	const { service, characteristic: notify } = nordicUart.notify;
	const profile = { service, notify, write: nordicUart.write.characteristic, suffix: 'crlf' };
	expect(parse(out)).toEqual({ scanner: { driver: 'ble', address, ...profile } });
	expect(out + err).not.toContain('SECRET');
});

it('says that nothing was told, and that a scanner must be named', async () => {
	const silent = await runCli(['ble', 'learn', '--adapter', adapter([]), '--name', 'BS80', '--seconds', '1']);
	expect([silent.code, silent.out]).toEqual([3, '']);
	const unnamed = await runCli(['ble', 'learn', '--adapter', adapter([])]);
	expect(unnamed.code).toBe(2);
	expect(unnamed.err).toContain('--address or --name');
});
