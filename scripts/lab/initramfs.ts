import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { GuestKernel } from './kernel.ts';

/** What the guest needs before it can see the host's files. */
const firstModules = ['virtio_pci', 'virtio_blk', 'ext4', '9pnet_virtio', '9p', 'overlay'];

const busybox = '/bin/busybox';
const labInit = new URL('guest/init.sh', import.meta.url);

/** Makes the guest's first file system: busybox, a few modules, and the script that finds its root. */
export function prepareInitramfs(kernel: GuestKernel, file: string, init = labInit): void {
	const tree = mkdtempSync(join(tmpdir(), 'stileward-initramfs-'));
	try {
		for (const folder of ['bin', 'proc', 'sys', 'dev', 'lower', 'ours', 'rw', 'new', 'mod'])
			mkdirSync(join(tree, folder));
		copyFileSync(busybox, join(tree, 'bin', 'busybox'));
		for (const [order, module] of modulesInOrder(kernel).entries()) {
			copyFileSync(module, join(tree, 'mod', `${String(order).padStart(2, '0')}-${basename(module)}`));
		}
		writeFileSync(join(tree, 'init'), readFileSync(init));
		chmodSync(join(tree, 'init'), 0o755);
		const names = execFileSync('find', ['.'], { cwd: tree });
		const archive = execFileSync('cpio', ['-o', '-H', 'newc', '--quiet'], {
			cwd: tree,
			input: names,
			maxBuffer: 64 * 1024 * 1024,
		});
		writeFileSync(file, gzipSync(archive, { level: 1 }));
	} finally {
		rmSync(tree, { recursive: true, force: true });
	}
}

/** Files of the first modules, each after those that it needs. */
function modulesInOrder({ root, version }: GuestKernel): readonly string[] {
	const files = firstModules.flatMap((module) => {
		const text = execFileSync('modprobe', ['-d', root, '-S', version, '--show-depends', module], { encoding: 'utf8' });
		return [...text.matchAll(/^insmod (\S+)/gm)].map(([, file = '']) => file);
	});
	return [...new Set(files)];
}
