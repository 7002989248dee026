import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mayMount, onOwnDisk } from '../../gate-agent/acceptance/own-disk.suite.ts';
import { type GateBench, machineAround, runDoctor, setUpGate } from './gate-bench.suite.ts';

const patience = { timeout: 300_000 };

/** Loop devices and `fsfreeze` are root's. */
const mayFreeze = canFreeze();

/** Runs the doctor on a machine where the data folder is a disk of its own. */
async function doctorWithin(bench: GateBench, within: readonly string[], nodeArgs: readonly string[] = []) {
	const args = ['--config', bench.configFile, '--root', await machineAround(bench.dir)];
	return runDoctor(args, { within, nodeArgs });
}

describe('the doctor looks at the disk of the ledger, and names', () => {
	it.skipIf(!mayMount)('one that forgets at a power cut', patience, async () => {
		const bench = await setUpGate();
		const { faults, result } = await doctorWithin(bench, onOwnDisk(bench.data, 'size=4m'));
		expect(faults).toEqual(['disk_in_memory']);
		expect(result.findings.find(({ code }) => code === 'disk_in_memory')?.fix?.en).toContain('recurse=0');
	});

	// What a test can mount for itself is memory: that is named as well.
	it.skipIf(!mayMount)('a full one', patience, async () => {
		const bench = await setUpGate();
		const { faults, result } = await doctorWithin(bench, onOwnDisk(bench.data, 'size=4m', 0));
		expect(faults).toEqual(['disk_in_memory', 'disk_full']);
		expect(result.findings.find(({ code }) => code === 'disk_full')?.evidence).toMatchObject({
			freeMiB: 0,
			sizeMiB: 4,
		});
	});

	it.skipIf(!mayMount)('one that is read-only', patience, async () => {
		const bench = await setUpGate();
		const { faults } = await doctorWithin(bench, onOwnDisk(bench.data, 'ro'));
		expect(faults).toEqual(['disk_read_only']);
	});

	it.skipIf(!mayMount)('one that can hold no more files', patience, async () => {
		const bench = await setUpGate();
		const mount = onOwnDisk(bench.data, 'size=4m').map((part) => part.replace('size=4m', 'size=4m,nr_inodes=10'));
		expect((await doctorWithin(bench, mount)).faults).toEqual(['disk_in_memory', 'disk_no_inodes']);
	});

	it.skipIf(!mayMount)('two at once: a full one, and a damaged manifest', patience, async () => {
		const bench = await setUpGate();
		writeFileSync(join(bench.keys, 'manifest.jws'), 'a.b.c');
		const { faults } = await doctorWithin(bench, onOwnDisk(bench.data, 'size=4m', 0));
		expect(faults).toEqual(['disk_in_memory', 'disk_full', 'keys_invalid']);
	});

	it.skipIf(!mayFreeze)('one that lets each write wait', patience, async () => {
		const bench = await setUpGate();
		const disk = await slowDisk(bench);
		const { faults, result } = await doctorWithin(bench, []);
		disk.end();
		expect(faults).toEqual(['disk_slow']);
		const slow = result.findings.find(({ code }) => code === 'disk_slow');
		expect(Number(slow?.evidence.meanMs)).toBeGreaterThan(60);
	});
});

describe('the doctor looks at the clock, and names', () => {
	/** What a box without a battery has after a power cut, made from outside the program as faketime does. */
	const clock1970 = (dir: string) => {
		const file = join(dir, 'clock-1970.mjs');
		writeFileSync(
			file,
			'const started = Date.now(); const now = Date.now; Date.now = () => now() - started + 86_400_000;\n',
		);
		return ['--import', file];
	};

	it('one that stands at 1970', patience, async () => {
		const bench = await setUpGate();
		const { faults, result } = await doctorWithin(bench, [], clock1970(bench.dir));
		expect(faults).toEqual(['clock_before_build']);
		expect(result.findings.find(({ code }) => code === 'clock_before_build')?.evidence.time).toMatch(/^1970-01-02/);
	});

	it.skipIf(!mayMount)('at once with a full disk and an unplugged scanner', patience, async () => {
		const bench = await setUpGate();
		await bench.scanner.pty.unplug();
		const { faults } = await doctorWithin(bench, onOwnDisk(bench.data, 'size=4m', 0), clock1970(bench.dir));
		expect(faults).toEqual(['device_absent', 'clock_before_build', 'disk_in_memory', 'disk_full']);
	});
});

/** A file system on a loop device can be frozen and thawed: whoever writes meanwhile waits, as on a worn card. */
async function slowDisk({ dir, data }: GateBench): Promise<{ end(): void }> {
	const image = join(dir, 'disk.img');
	const script = `
		truncate -s 32M "$1" && mkfs.ext4 -q -F "$1" && mount -o loop "$1" "$2" && chmod 700 "$2" && echo mounted
		while read -r -t 0.001 _ || [ $? -gt 128 ]; do fsfreeze -f "$2"; sleep 0.7; fsfreeze -u "$2"; done
		umount "$2"`;
	const child = spawn('bash', ['-c', script, 'bash', image, data], { stdio: ['pipe', 'pipe', 'ignore'] });
	const unmount = () => {
		child.stdin.end();
		spawnSync('fsfreeze', ['-u', data]);
		spawnSync('umount', ['-l', data]);
	};
	onTestFinished(unmount);
	await once(child.stdout, 'data');
	return { end: unmount };
}

function canFreeze(): boolean {
	if (process.getuid?.() !== 0) {
		console.warn('A SLOW DISK IS NOT TRIED: only root may freeze a file system.');
		return false;
	}
	const dir = mkdtempSync(join(tmpdir(), 'stileward-loop-'));
	const script =
		'truncate -s 8M "$1/i" && mkfs.ext4 -q -F "$1/i" && mkdir "$1/m" && mount -o loop "$1/i" "$1/m" && umount "$1/m"';
	const { status } = spawnSync('sh', ['-c', script, 'sh', dir]);
	rmSync(dir, { recursive: true, force: true });
	return status === 0;
}
