import { arch } from 'node:os';
import { missingPrograms } from '../lab/requirements.ts';

/** Programs that the box calls, each with the Debian package that has it. */
const programs: Readonly<Record<string, string>> = {
	debootstrap: 'debootstrap',
	'qemu-system-x86_64': 'qemu-system-x86',
	busybox: 'busybox-static',
	cpio: 'cpio',
	depmod: 'kmod',
	xz: 'xz-utils',
	'mkfs.ext4': 'e2fsprogs',
	'dpkg-deb': 'dpkg',
	'apt-get': 'apt',
};

/** What keeps the box from running here, in words that say what to do; undefined where nothing does. */
export function whatIsMissing(): string | undefined {
	if (arch() !== 'x64') return 'the box runs on x86-64: its guest is a PC';
	if (process.getuid?.() !== 0) return 'debootstrap makes a Debian for root only: run it with sudo';
	const packages = missingPrograms(programs);
	if (packages.length === 0) return undefined;
	return `programs are missing. Install them with:\n  apt-get install --no-install-recommends ${packages.join(' ')}`;
}
