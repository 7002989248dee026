import { execFileSync, spawnSync } from 'node:child_process';
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Debian's stock kernel, unpacked beside the project: nothing of the machine itself is changed. */
export interface GuestKernel {
	/** As `uname -r` says it. */
	readonly version: string;
	/** The uncompressed kernel, which QEMU starts without the slow decompressor. */
	readonly vmlinux: string;
	/** Folder with `lib/modules/VERSION`. */
	readonly root: string;
}

/** Stock kernels for a PC, each with the number of its interface: `linux-image-6.1.0-54-amd64`. */
const kernelPackage = /^linux-image-(\d[\d.]*-(\d+)-amd64)$/;

/**
 * Not for the lab. 6.1.192 moved `hci_chan_del` into `l2cap_conn_free`: a Bluetooth connection that ends before the last program
 * has closed its socket is deleted twice, and the kernel stops (lib/list_debug.c). 6.1.190 and before do not.
 */
const brokenVersions: readonly string[] = ['6.1.0-55-amd64', '6.1.0-56-amd64'];

const xzMagic = Buffer.from('fd377a585a00', 'hex');
const elfMagic = Buffer.from('7f454c46', 'hex');
const vmlinuxBytesMax = 256 * 1024 * 1024;

/**
 * Gives the kernel that is in `dir`, or fetches Debian's package of it first (70 MB, once). Throws an `Error` that says
 * which command failed.
 */
export function prepareKernel(dir: string, say: (text: string) => void): GuestKernel {
	mkdirSync(dir, { recursive: true });
	const isWhole = (name: string) => existsSync(join(dir, name, 'vmlinux'));
	const kept = readdirSync(dir).find((name) => isWhole(name) && !brokenVersions.includes(name));
	if (kept !== undefined) return kernelIn(dir, kept);
	const version = newestVersion();
	// Beside it, under a name of its own: lab and box may begin at one moment.
	const unpacking = mkdtempSync(`${dir}-unpacking-`);
	try {
		unpackKernel(version, unpacking, say);
		// The folder gets its name when it is whole: a start that was interrupted begins anew.
		if (!isWhole(version)) renameSync(unpacking, join(dir, version));
	} finally {
		rmSync(unpacking, { recursive: true, force: true });
	}
	return kernelIn(dir, version);
}

function unpackKernel(version: string, folder: string, say: (text: string) => void): void {
	say(`fetching Debian's kernel ${version}`);
	execFileSync('apt-get', ['download', '-qq', `linux-image-${version}`], { cwd: folder, stdio: 'pipe' });
	const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
	if (archive === undefined) throw new Error(`apt-get download linux-image-${version} left no file`);
	say('unpacking it');
	execFileSync('dpkg-deb', ['-x', archive, 'root'], { cwd: folder });
	execFileSync('depmod', ['-b', join(folder, 'root'), version]);
	const image = readFileSync(join(folder, 'root', 'boot', `vmlinuz-${version}`));
	writeFileSync(join(folder, 'vmlinux'), uncompressed(image));
	rmSync(join(folder, archive));
}

function kernelIn(dir: string, version: string): GuestKernel {
	return { version, vmlinux: join(dir, version, 'vmlinux'), root: join(dir, version, 'root') };
}

/** The newest that the package lists know, and that is fit for the lab. */
function newestVersion(): string {
	const text = execFileSync('apt-cache', ['pkgnames', 'linux-image-'], { encoding: 'utf8' });
	const versions = text.split('\n').flatMap((name) => {
		const [, version, abi] = kernelPackage.exec(name) ?? [];
		return version === undefined || brokenVersions.includes(version) ? [] : [{ version, abi: Number(abi) }];
	});
	const newest = versions.sort((a, b) => b.abi - a.abi)[0];
	if (newest === undefined) throw new Error('the package lists name no stock kernel: run apt-get update');
	return newest.version;
}

/** Takes the ELF file out of a bzImage (Linux, Documentation/arch/x86/boot.rst: its payload is an xz stream). */
function uncompressed(image: Buffer): Buffer {
	for (let at = image.indexOf(xzMagic); at >= 0; at = image.indexOf(xzMagic, at + 1)) {
		const input = image.subarray(at);
		const { stdout } = spawnSync('xz', ['-dc', '--single-stream'], { input, maxBuffer: vmlinuxBytesMax });
		if (stdout?.subarray(0, 4).equals(elfMagic)) return stdout;
	}
	throw new Error('the kernel is not compressed with xz: this program does not know its form');
}
