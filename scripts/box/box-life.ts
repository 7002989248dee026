import { setTimeout as sleep } from 'node:timers/promises';
import type { CoilEdge } from '../../gate-agent/emulators/relay-board.ts';
import { createHostServices } from '../lab/host-services.ts';
import type { GuestKernel } from '../lab/kernel.ts';
import { openLossyDisk } from '../lab/lossy-disk.ts';
import { pcArguments, startQemu } from '../lab/machine.ts';
import { createGuestShell, type GuestShell } from './guest-shell.ts';

/** What a box boots with. */
export interface BoxParts {
	readonly kernel: GuestKernel;
	readonly initramfs: string;
	/** Its root disk, which keeps what it was given. */
	readonly image: string;
	/** The disk of `/var/lib/stileward`, which forgets at a power cut what was not flushed. */
	readonly dataImage: string;
	/** A folder of this life alone. */
	readonly dir: string;
	readonly onLine: (line: string) => void;
}

/** One life of a box, from power to power. */
export interface BoxLife {
	readonly shell: GuestShell;
	/** From power to the shell, by the box's clock. */
	readonly bootSeconds: number;
	/** The scanner reads a code. */
	present(code: string): Promise<void>;
	/** What the relay's contacts did so far: an admission is counted here. */
	edges(): Promise<readonly CoilEdge[]>;
	/** The scanner reads a code; waits until the relay closes for it. Gives the moment, in milliseconds of the far end. */
	closesFor(code: string, limitMs: number): Promise<number>;
	/** Waits until the relay is open. */
	open(limitMs: number): Promise<void>;
	/** The power fails with a write that is in the disk's cache alone; resolves when the box is dark. */
	failWithWrite(count: number): Promise<void>;
	/** Resolves when the box has ended by itself. */
	ended: Promise<unknown>;
	/** Takes the power away, and what the data disk had not flushed. */
	cut(): void;
}

/** An emulated processor on a busy machine. */
const bootLimitMs = 10 * 60_000;
const lifeLimitMs = 60 * 60_000;
const lookEveryMs = 100;

/** Boots a box with a scanner and an LCUS board plugged in, and waits for its shell. */
export async function startBox({ kernel, initramfs, image, dataImage, dir, onLine }: BoxParts): Promise<BoxLife> {
	const services = createHostServices(dir);
	const disk = openLossyDisk(dataImage, `${dir}/data.sock`, () => false);
	const words = ['rw', 'systemd.show_status=0', 'net.ifnames=0'];
	const machine = startQemu(
		[
			...pcArguments({ kernel, initramfs, processors: 1, words }),
			...['-drive', `file=${image},format=raw,if=none,id=root,cache=unsafe`, '-device', 'virtio-blk-pci,drive=root'],
			...['-drive', disk.drive, '-device', 'virtio-blk-pci,drive=disk'],
			...services.devices,
		],
		{ onLine, limitMs: lifeLimitMs },
	);
	const darkness = machine.ended.finally(() => disk.cut());
	const { guest, obey } = await services.connect();
	await obey({ do: 'plug', device: 'scanner' });
	await obey({ do: 'plug', device: 'relay' });
	const shell = createGuestShell(guest);
	await shell.booted(bootLimitMs);
	const bootSeconds = Number(await shell.must("cut -d' ' -f1 /proc/uptime"));
	const edges = async () => (await obey({ do: 'board', board: 'relay' })).edges ?? [];
	const until = async (what: string, limitMs: number, isSo: (edges: readonly CoilEdge[]) => boolean) => {
		const giveUpMs = performance.now() + limitMs;
		for (;;) {
			const now = await edges();
			if (isSo(now)) return now;
			if (performance.now() > giveUpMs) throw new Error(`within ${limitMs / 1000} s the relay did not ${what}`);
			await sleep(lookEveryMs);
		}
	};
	const present = async (code: string) =>
		void (await obey({ do: 'send', hex: Buffer.from(`${code}\r`).toString('hex') }));
	return {
		shell,
		bootSeconds,
		edges,
		present,
		closesFor: async (code, limitMs) => {
			const before = (await edges()).length;
			await present(code);
			const now = await until('close', limitMs, (now) => now.slice(before).some(({ closed }) => closed));
			return now.findLast(({ closed }) => closed)?.atMs ?? Number.NaN;
		},
		open: async (limitMs) => void (await until('open', limitMs, (now) => now.at(-1)?.closed !== true)),
		failWithWrite: async (count) => {
			disk.failAfter(count, () => machine.cut());
			await darkness;
		},
		ended: darkness,
		cut: () => machine.cut(),
	};
}

/** A visitor is admitted: the relay closes for the ticket, and opens. */
export async function admit(life: BoxLife, ticket: string | undefined, limitMs: number): Promise<void> {
	await life.closesFor(ticket ?? '', limitMs);
	await life.open(limitMs);
}
