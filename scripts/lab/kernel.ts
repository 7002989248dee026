import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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

/** The package that stands for the newest stock kernel of this Debian. */
const metaPackage = 'linux-image-amd64';

const xzMagic = Buffer.from('fd377a585a00', 'hex');
const elfMagic = Buffer.from('7f454c46', 'hex');
const vmlinuxBytesMax = 256 * 1024 * 1024;

/**
 * Gives the kernel that is in `dir`, or fetches Debian's package of it first (70 MB, once). Throws an `Error` that says
 * which command failed.
 */
export function prepareKernel(dir: string, say: (text: string) => void): GuestKernel {
	mkdirSync(dir, { recursive: true });
	const kept = readdirSync(dir).find((name) => existsSync(join(dir, name, 'vmlinux')));
	if (kept !== undefined) return kernelIn(dir, kept);
	const version = newestVersion();
	const unpacking = join(dir, `${version}.unpacking`);
	rmSync(unpacking, { recursive: true, force: true });
	mkdirSync(unpacking);
	say(`fetching Debian's kernel ${version}`);
	execFileSync('apt-get', ['download', '-qq', `linux-image-${version}`], { cwd: unpacking, stdio: 'pipe' });
	const archive = readdirSync(unpacking).find((name) => name.endsWith('.deb'));
	if (archive === undefined) throw new Error(`apt-get download linux-image-${version} left no file`);
	say('unpacking it');
	execFileSync('dpkg-deb', ['-x', archive, 'root'], { cwd: unpacking });
	execFileSync('depmod', ['-b', join(unpacking, 'root'), version]);
	const image = readFileSync(join(unpacking, 'root', 'boot', `vmlinuz-${version}`));
	writeFileSync(join(unpacking, 'vmlinux'), uncompressed(image));
	rmSync(join(unpacking, archive));
	// The folder gets its name when it is whole: a start that was interrupted begins anew.
	renameSync(unpacking, join(dir, version));
	return kernelIn(dir, version);
}

function kernelIn(dir: string, version: string): GuestKernel {
	return { version, vmlinux: join(dir, version, 'vmlinux'), root: join(dir, version, 'root') };
}

function newestVersion(): string {
	const text = execFileSync('apt-cache', ['depends', metaPackage], { encoding: 'utf8' });
	const version = /Depends: linux-image-(\S+-amd64)$/m.exec(text)?.[1];
	if (version === undefined) throw new Error(`${metaPackage} names no kernel: run apt-get update`);
	return version;
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
