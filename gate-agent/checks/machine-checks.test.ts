import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clockCheck } from './clock.ts';
import { builtMs, codesOf, emptyMachine, healthWith, link, put, stoppedGate } from './fake-gate.suite.ts';
import { memoryCheck } from './memory.ts';
import { isInMemory, mountOf, wornPercent } from './mount.ts';
import { openersOf } from './open-files.ts';
import { portHoldersCheck } from './port-holders.ts';
import { lockHolder } from './running-agent.ts';
import { serviceCheck } from './service.ts';
import { mayAccess, userByName, userOfProcess } from './service-user.ts';
import { versionCheck } from './version.ts';

describe('memory', () => {
	const withMemory = (kib: number) => {
		const machine = emptyMachine();
		put(machine.root, 'proc/meminfo', `MemTotal:        1000000 kB\nMemAvailable:    ${kib} kB\n`);
		return machine;
	};
	it.each([
		[500_000, 'memory_ok'],
		[100_000, 'memory_low'],
		[20_000, 'memory_short'],
	])('%i KiB available: %s', async (kib, code) => {
		expect(await codesOf(memoryCheck, stoppedGate(), withMemory(kib))).toEqual([code]);
	});
});

describe('the clock', () => {
	const withClock = (over: Parameters<typeof emptyMachine>[0] = {}) => {
		const machine = emptyMachine(over);
		link(machine.root, 'sys/class/rtc/rtc0', '../../devices/rtc0');
		return machine;
	};
	it('is right where nothing says otherwise', async () => {
		expect(await codesOf(clockCheck, stoppedGate(), withClock())).toEqual(['clock_ok']);
	});
	it('cannot stand before the program was built', async () => {
		const machine = withClock({ systemMs: () => builtMs - 86_400_000 });
		expect(await codesOf(clockCheck, stoppedGate(), machine)).toEqual(['clock_before_build']);
	});
	it('is doubted by the agent that runs', async () => {
		const health = healthWith({ clock: { trusted: true, epoch: 1, doubt: 'server_ahead' } });
		expect(await codesOf(clockCheck, stoppedGate({ agent: { health } }), withClock())).toEqual(['clock_doubted']);
	});
	it('needs somebody who corrects it and a battery', async () => {
		const machine = emptyMachine({ isClockSynchronized: async () => false });
		expect(await codesOf(clockCheck, stoppedGate(), machine)).toEqual(['clock_not_synchronized', 'no_rtc']);
	});
});

/** A machine with these lines in its list of mounts. */
function machineWithMounts(...lines: readonly string[]) {
	const machine = emptyMachine();
	put(machine.root, 'proc/self/mountinfo', `${lines.join('\n')}\n`);
	return machine;
}

describe('the mount of a folder', () => {
	it('is the longest that contains it, and the last of these', async () => {
		const machine = machineWithMounts(
			'1 0 179:2 / / rw,noatime - ext4 /dev/root rw',
			'2 1 0:30 / /tmp rw - tmpfs tmpfs rw',
			'3 1 0:31 / /tmp ro - tmpfs tmpfs ro',
		);
		expect(await mountOf('/tmp/not there', machine.roots)).toEqual({
			point: '/tmp',
			device: '0:31',
			type: 'tmpfs',
			isReadOnly: true,
		});
		expect(await mountOf('/var', machine.roots)).toMatchObject({ point: '/', device: '179:2', isReadOnly: false });
	});

	it('forgets where it is memory, or an overlay above memory', async () => {
		const machine = machineWithMounts(
			'1 0 0:20 / / rw - overlay overlayroot rw,lowerdir=/l,upperdir=/run/root-rw/overlay,workdir=/w',
			'2 1 0:21 / /run rw - tmpfs tmpfs rw',
			'3 1 179:3 / /tmp rw - ext4 /dev/mmcblk0p3 rw',
			'4 1 0:23 / /var rw - overlay overlay rw,lowerdir=/l,upperdir=/tmp/upper,workdir=/w',
		);
		const forgets = async (path: string) => {
			const mount = await mountOf(path, machine.roots);
			return mount && isInMemory(mount, machine.roots);
		};
		expect(await forgets('/etc')).toBe(true);
		expect(await forgets('/run/not there')).toBe(true);
		expect(await forgets('/tmp')).toBe(false);
		expect(await forgets('/var')).toBe(false);
	});

	it('of an overlay whose own place cannot be seen is not told', async () => {
		const machine = machineWithMounts(
			'1 0 0:22 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/var/lib/docker/u,workdir=/w',
		);
		const mount = await mountOf('/etc', machine.roots);
		expect(mount && (await isInMemory(mount, machine.roots))).toBe(false);
	});

	it('tells how worn its flash memory is, where that can tell', async () => {
		const machine = emptyMachine();
		link(machine.root, 'sys/dev/block/179:2', '../../devices/mmcblk0/mmcblk0p2');
		put(machine.root, 'sys/devices/mmcblk0/mmcblk0p2/partition', '2\n');
		put(machine.root, 'sys/devices/mmcblk0/device/life_time', '0x02 0x09\n');
		const mount = { point: '/', device: '179:2', type: 'ext4', isReadOnly: false };
		expect(await wornPercent(mount, machine.roots)).toEqual({ name: 'mmcblk0', percent: 90 });
		expect(await wornPercent({ ...mount, device: '8:1' }, machine.roots)).toBeUndefined();
	});
});

describe('the service', () => {
	const unit = (over: Readonly<Record<string, string>> = {}) => {
		const whole = {
			LoadState: 'loaded',
			UnitFileState: 'enabled',
			ActiveState: 'active',
			Result: 'success',
			NRestarts: '0',
			WatchdogUSec: '10s',
		};
		const out = Object.entries({ ...whole, ...over }).map(([key, value]) => `${key}=${value}\n`);
		return emptyMachine({ run: async () => ({ code: 0, out: out.join('') }) });
	};
	const running = stoppedGate({ agent: { pid: 7, health: healthWith() } });
	it.each([
		['runs by itself', unit, {}, ['service_ok']],
		['is not enabled', unit, { UnitFileState: 'disabled' }, ['service_disabled', 'service_ok']],
		['comes back again and again', unit, { NRestarts: '5' }, ['service_restarting', 'service_ok']],
		['has no watchdog', unit, { WatchdogUSec: '0' }, ['watchdog_off', 'service_ok']],
		['failed', unit, { ActiveState: 'failed', Result: 'exit-code' }, ['service_failed']],
		['was stopped', unit, { ActiveState: 'inactive' }, ['service_stopped']],
		['is not there', unit, { LoadState: 'not-found' }, ['service_missing', 'service_ok']],
	])('%s', async (_, machine, over, codes) => {
		expect(await codesOf(serviceCheck, running, machine(over))).toEqual(codes);
	});

	it('is nothing where the machine has no service manager', async () => {
		expect(await codesOf(serviceCheck, running)).toEqual(['service_ok']);
		expect(await codesOf(serviceCheck, stoppedGate())).toEqual(['gate_stopped']);
	});

	it('holds the ledger and does not answer, or somebody else does', async () => {
		const url = 'http://127.0.0.1:8480';
		expect(await codesOf(serviceCheck, stoppedGate({ agent: { pid: 7, url } }))).toEqual(['agent_silent']);
		expect(await codesOf(serviceCheck, stoppedGate({ agent: { url, stranger: true } }))).toContain('http_taken');
	});
});

describe('the version', () => {
	it('that runs is the one that is installed', async () => {
		const gate = (version: string) => stoppedGate({ agent: { health: healthWith({ version }) } });
		expect(await codesOf(versionCheck, gate('0.1.0'))).toEqual(['version_ok']);
		expect(await codesOf(versionCheck, gate('0.0.9'))).toEqual(['version_not_restarted']);
	});
});

describe('programs that take serial ports by themselves', () => {
	const withModemManager = () => {
		const machine = emptyMachine();
		put(machine.root, 'proc/412/comm', 'ModemManager\n');
		put(machine.root, 'proc/412/stat', '412 (ModemManager) S 1 412');
		return machine;
	};
	it('are named', async () => {
		expect(await codesOf(portHoldersCheck, stoppedGate(), withModemManager())).toEqual(['port_daemon']);
	});
	it('are kept off by the rules of the package', async () => {
		const machine = withModemManager();
		put(machine.root, 'etc/udev/rules.d/60-stileward.rules', '');
		expect(await codesOf(portHoldersCheck, stoppedGate(), machine)).toEqual(['ports_ok']);
	});
});

describe('whose rights count', () => {
	it.each([
		['owner', 900, 5, 0o600, true],
		['owner, who has fewer rights than his group', 900, 900, 0o060, false],
		['group', 0, 20, 0o660, true],
		['others', 0, 5, 0o666, true],
		['nobody of these', 0, 5, 0o660, false],
	])('%s', (_, uid, gid, mode, may) => {
		expect(mayAccess({ uid, gid, mode }, { uid: 900, gids: [900, 20] }, 6)).toBe(may);
	});

	it('is the effective user of the process, or one of the system’s files', async () => {
		const machine = emptyMachine();
		put(machine.root, 'etc/passwd', 'root:x:0:0::/root:/bin/sh\nstileward:x:900:901::/:/bin/false\n');
		put(machine.root, 'etc/group', 'dialout:x:20:mina,stileward\nplugdev:x:46:mina\n');
		put(machine.root, 'proc/7/status', 'Name:\tnode\nUid:\t0\t900\t0\t0\nGid:\t0\t901\t0\t0\nGroups:\t20 44 \n');
		expect(await userByName('stileward', machine.roots)).toEqual({ name: 'stileward', uid: 900, gids: [901, 20] });
		expect(await userOfProcess(7, machine.roots)).toEqual({ name: 'stileward', uid: 900, gids: [901, 20, 44] });
		expect(await userByName('nobody', machine.roots)).toBeUndefined();
	});
});

describe('who holds a file', () => {
	const holding = (line: (place: string) => string) => {
		const machine = emptyMachine();
		put(machine.root, 'data/ledger.lock', '');
		const { dev, ino } = statSync(join(machine.root, 'data/ledger.lock'));
		const hex = (value: number) => value.toString(16).padStart(2, '0');
		put(
			machine.root,
			'proc/locks',
			line(`${hex((dev >> 8) & 0xfff)}:${hex((dev & 0xff) | ((dev >> 12) & 0xfff00))}:${ino}`),
		);
		return machine;
	};
	it('is who has locked it', async () => {
		const machine = holding(
			(place) => `1: POSIX  ADVISORY  READ 3 ${place} 0 EOF\n2: POSIX  ADVISORY  WRITE 412 ${place} 0 EOF\n`,
		);
		expect(await lockHolder(join(machine.root, 'data/ledger.lock'), machine.roots)).toBe(412);
	});
	it('is who has it open, where its lock is listed under another number', async () => {
		const machine = holding(() => '1: POSIX  ADVISORY  WRITE 412 00:1f:99 0 EOF\n');
		const path = join(machine.root, 'data/ledger.lock');
		link(machine.root, 'proc/412/fd/17', path);
		expect(await lockHolder(path, machine.roots)).toBeUndefined();
		expect(await openersOf(path, machine.roots)).toEqual([412]);
	});
});
