import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GuestKernel } from '../lab/kernel.ts';

/** Debian's release that boxes run. */
const release = 'bookworm';
const mirror = 'http://deb.debian.org/debian';

/** What a minimal Debian with systemd has, and the libraries that the package depends on. */
const included = ['systemd-sysv', 'udev', 'dbus', 'kmod', 'libusb-1.0-0', 'libstdc++6'];

/** Drivers of the box's hardware: what is plugged in by the host. */
const modules = [
	'xhci_pci',
	'usbserial',
	'ftdi_sio',
	'cdc_acm',
	'usbhid',
	'hid_generic',
	'evdev',
	'virtio_rng',
	'autofs4',
];

/** Work of a new system that has nothing to do with a gate and takes an emulated processor a minute. */
const masked = [
	...['apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'e2scrub_all.timer', 'fstrim.timer'],
	...['e2scrub_reap.service', 'systemd-timesyncd.service', 'serial-getty@ttyS0.service', 'getty@tty1.service'],
	...['systemd-firstboot.service', 'console-getty.service', 'systemd-binfmt.service'],
];

const guestFolder = fileURLToPath(new URL('guest', import.meta.url));

/** Makes a fresh Debian with Debian's own tool, once: two minutes and 120 MB. Needs root. Gives its folder. */
export function prepareDebianRoot(dir: string, say: (text: string) => void): string {
	const root = join(dir, `root-${release}`);
	if (existsSync(root)) return root;
	mkdirSync(dir, { recursive: true });
	const unpacking = `${root}.unpacking`;
	rmSync(unpacking, { recursive: true, force: true });
	say(`making a fresh Debian (${release})`);
	const args = ['--variant=minbase', `--include=${included.join(',')}`, release, unpacking, mirror];
	execFileSync('debootstrap', args, { stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 * 1024 });
	for (const archive of globSync('var/cache/apt/archives/*.deb', { cwd: unpacking })) rmSync(join(unpacking, archive));
	renameSync(unpacking, root);
	return root;
}

/** What goes onto the box's disk beside Debian itself. */
export interface BoxDisk {
	readonly root: string;
	readonly kernel: GuestKernel;
	/** Files that a technician brings on a stick: they lie in `/media/stick`. */
	readonly stick: readonly string[];
	readonly dir: string;
}

/** Writes the box's root disk: Debian as it is, its kernel's drivers, and the shell that the host types into. Gives the image. */
export function writeBoxDisk({ root, kernel, stick, dir }: BoxDisk): string {
	const tree = join(dir, 'tree');
	const image = join(dir, 'root.img');
	for (const old of [tree, image]) rmSync(old, { recursive: true, force: true });
	// Links: nothing that is there already is changed below, files are only added or replaced.
	execFileSync('cp', ['--archive', '--link', root, tree]);
	try {
		copyDrivers(kernel, tree);
		const at = (path: string) => join(tree, path);
		for (const folder of ['media/stick', 'usr/local/sbin', 'var/lib/stileward'])
			mkdirSync(at(folder), { recursive: true });
		for (const file of stick) cpSync(file, join(at('media/stick'), basename(file)), { recursive: true });
		execFileSync('install', ['-m755', join(guestFolder, 'box-shell.sh'), at('usr/local/sbin/box-shell')]);
		cpSync(join(guestFolder, 'box-shell.service'), at('etc/systemd/system/box-shell.service'));
		const wants = at('etc/systemd/system/multi-user.target.wants');
		mkdirSync(wants, { recursive: true });
		symlinkSync('/etc/systemd/system/box-shell.service', join(wants, 'box-shell.service'));
		for (const unit of masked) {
			rmSync(at(`etc/systemd/system/${unit}`), { force: true });
			symlinkSync('/dev/null', at(`etc/systemd/system/${unit}`));
		}
		replace(at('etc/hostname'), 'box\n');
		// The root disk keeps what it was given: dpkg need not wait for it with each of five thousand files.
		replace(at('etc/dpkg/dpkg.cfg.d/box'), 'force-unsafe-io\n');
		// What a gate knows lies on a disk of its own, which forgets at a power cut what was not flushed.
		replace(at('etc/fstab'), '/dev/vda / ext4 errors=remount-ro 0 0\n/dev/vdb /var/lib/stileward ext4 defaults 0 2\n');
		execFileSync('truncate', ['-s', '1500M', image]);
		execFileSync('/sbin/mke2fs', ['-q', '-F', '-t', 'ext4', '-E', 'lazy_itable_init=1', '-d', tree, image]);
	} finally {
		rmSync(tree, { recursive: true, force: true });
	}
	return image;
}

/** A link must not be written through. */
function replace(file: string, text: string): void {
	rmSync(file, { force: true });
	writeFileSync(file, text);
}

function copyDrivers({ root, version }: GuestKernel, tree: string): void {
	const folder = `lib/modules/${version}`;
	const files = modules.flatMap((name) => {
		const text = execFileSync('modprobe', ['-d', root, '-S', version, '--show-depends', name], { encoding: 'utf8' });
		return [...text.matchAll(/^insmod (\S+)/gm)].map(([, file = '']) => file);
	});
	const wanted = [...files, ...globSync(`${root}/${folder}/modules.{order,builtin,builtin.modinfo}`)];
	for (const file of new Set(wanted)) {
		const target = join(tree, file.slice(root.length + 1));
		mkdirSync(dirname(target), { recursive: true });
		cpSync(file, target);
	}
	execFileSync('depmod', ['-b', tree, version]);
}
