import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { GuestKernel } from './kernel.ts';

/** What a guest is started with. */
export interface MachineOptions {
	readonly kernel: GuestKernel;
	readonly initramfs: string;
	/** The project's files (`writeProjectImage`): the guest's first disk. */
	readonly image: string;
	/** Folder that the guest may write its results to. */
	readonly out: string;
	/** A script in `guest/`, and its arguments; none holds a space or a comma. */
	readonly run: string;
	readonly args?: readonly string[];
	/** Further arguments of QEMU: the devices under test. */
	readonly devices?: readonly string[];
	/** One is slower where several programs start, and crashes none: see the README. */
	readonly processors: 1 | 2;
	readonly onLine: (line: string) => void;
	/** The machine is killed after this time, ms. */
	readonly limitMs: number;
}

/** A guest that runs. */
export interface Machine {
	readonly pid: number;
	/** The exit code of its script; `killed` where it was killed, by `cut` or by the time limit. */
	readonly ended: Promise<number | 'killed' | 'limit'>;
	/** Ends it as a power cut does: nothing of its memory is left. */
	cut(): void;
}

/**
 * Without what makes programs crash in an emulated machine now and then: the vector instructions that QEMU 7.2 is the first to
 * emulate, and the protection keys by which V8 guards compiled code (every switch of a key empties the processor's TLB, too).
 */
const cpu = 'max,avx=off,avx2=off,fma=off,f16c=off,pku=off';

/** Memory of the guest, MiB: the runner of the tests, the agent and its watchdogs, and what they write. */
const memoryMiB = 1536;

/**
 * Starts a guest on an emulated processor: no privilege is needed, and each instruction takes ten to twenty times as
 * long as on the machine itself.
 */
export function startMachine({ onLine, limitMs, ...options }: MachineOptions): Machine {
	return startQemu(machineArguments(options), { onLine, limitMs });
}

/** Starts QEMU with these arguments. Its standard output is the guest's console. */
export function startQemu(
	args: readonly string[],
	{ onLine, limitMs }: Pick<MachineOptions, 'onLine' | 'limitMs'>,
): Machine {
	const child = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'inherit'] });
	let why: 'killed' | 'limit' | undefined;
	const end = (reason: typeof why) => {
		why ??= reason;
		child.kill('SIGKILL');
	};
	const limit = setTimeout(() => end('limit'), limitMs);
	createInterface({ input: child.stdout }).on('line', (line) => onLine(line.replace(/\r/g, '')));
	const ended = new Promise<number | 'killed' | 'limit'>((resolve, reject) => {
		child.once('error', reject);
		child.once('close', (code) => {
			clearTimeout(limit);
			resolve(why ?? guestCode(code ?? 0));
		});
	});
	return { pid: child.pid ?? 0, ended, cut: () => end('killed') };
}

/** isa-debug-exit makes 2n + 1 of the guest's code; an even code is QEMU's own, and means that the guest broke down. */
function guestCode(code: number): number {
	return code % 2 === 1 ? (code - 1) / 2 : 125;
}

function machineArguments(options: Omit<MachineOptions, 'onLine' | 'limitMs'>): readonly string[] {
	const { kernel, initramfs, processors, image, out, run, args = [], devices = [] } = options;
	return [
		...pcArguments({ kernel, initramfs, processors, words: [`lab.run=${run}`, `lab.args=${args.join(',')}`] }),
		...shared('host', '/', true),
		...shared('modules', `${kernel.root}/lib/modules`, true),
		...['-drive', `file=${image},format=raw,if=none,id=project,readonly=on`],
		...['-device', 'virtio-blk-pci,drive=project'],
		...shared('out', out, false),
		...devices,
	];
}

/** What a guest boots from, and further words of its kernel's command line. */
export interface PcOptions extends Pick<MachineOptions, 'kernel' | 'initramfs' | 'processors'> {
	readonly words: readonly string[];
}

/** A PC without disks and shared folders: processor, memory, kernel, console. */
export function pcArguments({ kernel, initramfs, processors, words }: PcOptions): readonly string[] {
	const line = [
		...['console=ttyS0', 'quiet', 'panic=-1', 'mitigations=off', 'random.trust_cpu=on'],
		...['tsc=reliable', 'clocksource=tsc', 'cryptomgr.notests', ...words],
	].join(' ');
	return [
		...[
			'-M',
			'q35',
			'-accel',
			'tcg,thread=multi,tb-size=512',
			'-cpu',
			cpu,
			'-smp',
			`${processors}`,
			'-m',
			`${memoryMiB}`,
		],
		...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
		...['-kernel', kernel.vmlinux, '-initrd', initramfs, '-append', line],
		...['-serial', 'stdio', '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04', '-device', 'virtio-rng-pci'],
	];
}

function shared(tag: string, path: string, isReadOnly: boolean): readonly string[] {
	const readOnly = isReadOnly ? ',readonly=on' : '';
	return [
		...['-fsdev', `local,id=${tag},path=${path},security_model=none,multidevs=remap${readOnly}`],
		...['-device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
	];
}
