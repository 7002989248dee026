import { accessSync, constants, existsSync } from 'node:fs';
import { arch } from 'node:os';
import { delimiter, join } from 'node:path';

/** Programs that the lab calls, each with the Debian package that has it. */
const programs: Readonly<Record<string, string>> = {
	'qemu-system-x86_64': 'qemu-system-x86',
	busybox: 'busybox-static',
	cpio: 'cpio',
	depmod: 'kmod',
	xz: 'xz-utils',
	'mkfs.ext4': 'e2fsprogs',
	udevadm: 'udev',
	'dpkg-deb': 'dpkg',
	'apt-get': 'apt',
	bluetoothd: 'bluez',
	btvirt: 'bluez-test-tools',
	'dbus-daemon': 'dbus-daemon',
	setpriv: 'util-linux',
};

/** Libraries that the guest's programs load from the host, each with its package. */
const libraries: Readonly<Record<string, string>> = {
	'libusb-1.0.so.0': 'libusb-1.0-0',
	'libudev.so.1': 'libudev1',
};

/** Modules of Debian's Python that the guest's Bluetooth peripheral is written with, each with its package. */
const pythonModules: Readonly<Record<string, string>> = { dbus: 'python3-dbus', gi: 'python3-gi' };

const pythonFolder = '/usr/lib/python3/dist-packages';

const libraryFolders = ['/usr/lib/x86_64-linux-gnu', '/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib'];

const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/bin', '/usr/libexec/bluetooth'];

/** What keeps the lab from running here, in words that say what to do; undefined where nothing does. */
export function whatIsMissing(): string | undefined {
	if (arch() !== 'x64') return 'the lab runs on x86-64: its guest is a PC';
	const packages = [
		...missingPrograms(programs),
		...Object.entries(libraries).flatMap(([file, name]) => {
			return libraryFolders.some((folder) => existsSync(join(folder, file))) ? [] : name;
		}),
		...Object.entries(pythonModules).flatMap(([module, name]) => (existsSync(join(pythonFolder, module)) ? [] : name)),
	];
	if (packages.length === 0) return undefined;
	const list = [...new Set(packages)].join(' ');
	return `programs or libraries are missing. Install them with:\n  apt-get install --no-install-recommends ${list}`;
}

/** Packages of programs that are not there. `programs` maps each to its Debian package. */
export function missingPrograms(programs: Readonly<Record<string, string>>): readonly string[] {
	return Object.entries(programs).flatMap(([program, name]) => (isThere(program) ? [] : name));
}

function isThere(program: string): boolean {
	return folders.some((folder) => {
		try {
			accessSync(join(folder, program), constants.X_OK);
			return true;
		} catch {
			return false;
		}
	});
}
