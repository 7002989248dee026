import { execFile } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isClockSynchronized } from '../ioctl/clock-state.ts';
import { buildOf } from '../main.ts';
import type { Roots } from '../nodes/sysfs.ts';

/** Where the kernel and the system show themselves; a test, or an image that is looked at, has folders of its own. */
export interface MachineRoots extends Roots {
	readonly proc: string;
	readonly etc: string;
}

/** What a program of the system printed and how it ended. */
export interface Ran {
	readonly code: number;
	readonly out: string;
}

/** The machine as checks see it. Every fault can be made by another machine around the same checks. */
export interface Surroundings {
	readonly roots: MachineRoots;
	/** Milliseconds since 1970. */
	readonly systemMs: () => number;
	/** Monotonic milliseconds. */
	readonly monoMs: () => number;
	/** Runs a program of the system; undefined where there is none of that name, or where it does not end. */
	readonly run: (command: string, args: readonly string[]) => Promise<Ran | undefined>;
	/** Whether something corrects the clock, undefined where the kernel cannot be asked. */
	readonly isClockSynchronized: () => Promise<boolean | undefined>;
	/** Addresses of a host. Rejects with Node's codes of DNS. */
	readonly lookup: (host: string) => Promise<readonly string[]>;
	readonly build: { readonly version: string; readonly buildMs: number };
}

/** How long a program of the system may take. */
const runTimeoutMs = 10_000;
/** The most that is read of what it prints. */
const outBytesMax = 4 * 1024 * 1024;
/** How long a name server may take. */
const lookupTimeoutMs = 5_000;

/** The machine that this program runs on; `root` is a folder that has `sys`, `dev`, `proc` and `etc` of another one. */
export function surroundingsOf(root = ''): Surroundings {
	return {
		roots: rootsOf(root),
		systemMs: Date.now,
		monoMs: () => performance.now(),
		run,
		isClockSynchronized,
		lookup: (host) => Promise.race([lookupAll(host), tooSlow()]),
		build: buildOf(),
	};
}

/** The folders of a machine below a root; the root of this one is empty. */
export function rootsOf(root: string): MachineRoots {
	return { sys: `${root}/sys`, dev: `${root}/dev`, proc: `${root}/proc`, etc: `${root}/etc` };
}

function run(command: string, args: readonly string[]): Promise<Ran | undefined> {
	return new Promise((resolve) => {
		const limits = { timeout: runTimeoutMs, maxBuffer: outBytesMax };
		execFile(command, args, limits, (error, out) => {
			if (error === null) return resolve({ code: 0, out });
			resolve(typeof error.code === 'number' ? { code: error.code, out } : undefined);
		});
	});
}

async function lookupAll(host: string): Promise<readonly string[]> {
	return (await lookup(host, { all: true })).map(({ address }) => address);
}

async function tooSlow(): Promise<never> {
	await sleep(lookupTimeoutMs, undefined, { ref: false });
	throw Object.assign(new Error('the name server does not answer'), { code: 'ETIMEOUT' });
}
