import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { examineGate } from '../../gate-agent/checks/examine-gate.ts';
import { surroundingsOf } from '../../gate-agent/checks/surroundings.ts';
import { openKeyboardEmulator } from '../../gate-agent/emulators/keyboard-emulator.ts';
import { listInputEvents } from '../../gate-agent/nodes/input-events.ts';

/** A gate whose Zebra scanner is meant to be in POS mode. */
function gateFile(): string {
	const dir = mkdtempSync(join(tmpdir(), 'stileward-doctor-'));
	const data = join(dir, 'data');
	mkdirSync(data);
	const scanner = '{ driver: hid-pos, device: "05e0:1300" }';
	const file = join(dir, 'gate.yaml');
	writeFileSync(
		file,
		`data: ${data}\nhttp: { enabled: false }\nlanes: [{ id: lane-1, scanner: ${scanner}, relay: { driver: simulated } }]\n`,
	);
	return file;
}

async function faultsOf(configFile: string) {
	const { findings } = await examineGate({ configFile, sets: [], openDevices: false }, surroundingsOf());
	return findings.filter(({ state }) => state === 'fault');
}

test('a real input device of the kernel that is a scanner in keyboard mode is named, with what to scan', async () => {
	const keyboard = openKeyboardEmulator();
	onTestFinished(() => keyboard.close());
	await expect
		.poll(async () => (await listInputEvents()).map(({ vendorId }) => vendorId), { timeout: 30_000 })
		.toContain('05e0');
	const named = (await faultsOf(gateFile())).find(({ check }) => check === 'devices');
	expect(named).toMatchObject({
		code: 'scanner_types',
		evidence: { name: expect.stringContaining('Symbol'), driver: 'hid-pos' },
	});
});

test('a machine whose clock was set to 1970 is named', async () => {
	const before = Math.floor(Date.now() / 1000);
	const monoMs = performance.now();
	execFileSync('date', ['-s', '@86400']);
	try {
		const named = (await faultsOf(gateFile())).find(({ check }) => check === 'clock');
		expect(named).toMatchObject({
			code: 'clock_before_build',
			evidence: { time: expect.stringMatching(/^1970-01-02/) },
		});
	} finally {
		execFileSync('date', ['-s', `@${before + Math.round((performance.now() - monoMs) / 1000)}`]);
	}
});
