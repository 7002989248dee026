import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { openBleLink } from './ble-link.ts';

/** How long the parts of the guest may take; its processor is an emulated one. */
const patienceMs = 100_000;
const lookMs = 200;
const setUpMs = 10_000;
const controllerTries = 6;
const peripheralFile = fileURLToPath(new URL('./peripheral.py', import.meta.url));

/** A scanner that BlueZ plays. */
export interface BluezScanner {
	readonly name: string;
	/** What it was sent, in hexadecimal digits. */
	readonly written: readonly string[];
	/** Tells bytes in notifications of 20. */
	notify(bytes: Uint8Array): void;
	/** Whether it answers a write. */
	hang(hangs: boolean): void;
	/** Ends its link, and advertises on. */
	drop(): Promise<void>;
	/** Goes out of reach, or comes back. */
	power(isOn: boolean): Promise<void>;
}

/** Virtual controllers that hear one another, the first ones with a scanner each; the last two are for centrals. */
export interface BluezAir {
	readonly scanners: readonly BluezScanner[];
	/** The adapter that the program under test has. */
	readonly adapter: string;
	/** Another one, for `occupy`. */
	readonly spare: string;
	close(): Promise<void>;
}

/** What a scanner is like. `command` takes writes without a response, `request` answers each. */
export interface BluezScannerOptions {
	readonly name: string;
	readonly writes: 'command' | 'request';
	readonly batteryPercent: number;
}

/** Starts controllers, bluetoothd and scanners. Needs root and /dev/vhci: the lab's guest. */
export async function openBluezAir(options: readonly BluezScannerOptions[]): Promise<BluezAir> {
	const count = options.length + 2;
	const controllers = await startControllers(count);
	startBus();
	const daemon = spawn('/usr/libexec/bluetooth/bluetoothd', ['-n'], { stdio: 'ignore' });
	await until('bluetoothd', hasBluez);
	const scanners: Awaited<ReturnType<typeof startScanner>>[] = [];
	for (const [index, each] of options.entries()) scanners.push(await startScanner(`hci${index}`, each));
	// bluetoothd has touched it; the central begins with one that is fresh.
	const [adapter, spare] = [`hci${options.length}`, `hci${options.length + 1}`] as const;
	for (const each of [adapter, spare]) {
		execFileSync('hciconfig', [each, 'down']);
		await until(`${each} up`, () => spawnSync('hciconfig', [each, 'up']).status === 0);
	}
	return {
		scanners: scanners.map(({ scanner }) => scanner),
		adapter,
		spare,
		close: async () => {
			for (const { child } of [...scanners, { child: daemon }, { child: controllers }]) await end(child);
		},
	};
}

/**
 * Links a scanner to another central, as long as the test lasts. btvirt tells a scanner the handle that the link has at the
 * central, which is not the one that it keeps itself: the second link of a central works with a scanner alone whose second it is.
 */
export async function occupy(air: BluezAir, { name }: BluezScanner): Promise<void> {
	const other = await openBleLink({ adapter: air.spare });
	onTestFinished(() => other.close());
	await other.open({ peer: { name }, listen: [], battery: false }, { onBytes: () => {} });
}

/**
 * The first ones load crypto modules, which takes an emulated processor longer than HCI's time limit of 2 s. A controller whose
 * set-up failed is one that bluetoothd never sees, so all are started anew until each has set itself up.
 */
async function startControllers(count: number): Promise<ChildProcess> {
	for (let tries = 1; tries <= controllerTries; tries += 1) {
		const child = spawn('btvirt', ['-L', `-l${count}`], { stdio: 'ignore' });
		if (await isSoon(() => countSetUp() === count, setUpMs)) return child;
		await end(child);
	}
	throw new Error(`btvirt started no ${count} controllers in ${controllerTries} tries`);
}

/** A controller knows its address once it has set itself up; the kernel switches it off again until somebody wants it. */
function countSetUp(): number {
	return execFileSync('hciconfig', { encoding: 'utf8' }).split('BD Address: 00:AA').length - 1;
}

function startBus(): void {
	mkdirSync('/run/dbus', { recursive: true });
	if (!existsSync('/run/dbus/system_bus_socket')) execFileSync('dbus-daemon', ['--system', '--fork']);
}

function hasBluez(): boolean {
	const call = ['--system', '--print-reply', '--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.ListNames'];
	return execFileSync('dbus-send', call, { encoding: 'utf8' }).includes('"org.bluez"');
}

async function startScanner(adapter: string, { name, writes, batteryPercent }: BluezScannerOptions) {
	const flags = writes === 'command' ? 'write,write-without-response' : 'write';
	const child = spawn('/usr/bin/python3', [peripheralFile, adapter, name, flags, `${batteryPercent}`], {
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	const events: { readonly event: string; readonly hex?: string }[] = [];
	createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line)));
	const tell = (line: string) => void child.stdin.write(`${line}\n`);
	const counted = (event: string) => events.filter((each) => each.event === event).length;
	const asked = async (line: string, event: string) => {
		const before = counted(event);
		tell(line);
		await until(`${name}: ${line}`, () => counted(event) > before);
	};
	await until(`${name} advertises`, () => counted('ready') === 1);
	const scanner: BluezScanner = {
		name,
		get written() {
			return events.flatMap(({ event, hex }) => (event === 'write' && hex !== undefined ? [hex] : []));
		},
		notify: (bytes) => tell(`notify ${Buffer.from(bytes).toString('hex')}`),
		hang: (hangs) => tell(`hang ${hangs ? 'on' : 'off'}`),
		drop: () => asked('drop', 'dropped'),
		power: (isOn) => asked(`power ${isOn ? 'on' : 'off'}`, 'power'),
	};
	return { child, scanner };
}

async function until(what: string, isSo: () => boolean): Promise<void> {
	if (!(await isSoon(isSo, patienceMs))) throw new Error(`within ${patienceMs / 1000} s there was no: ${what}`);
}

async function isSoon(isSo: () => boolean, withinMs: number): Promise<boolean> {
	const endMs = performance.now() + withinMs;
	while (performance.now() < endMs) {
		if (isSo()) return true;
		await sleep(lookMs);
	}
	return false;
}

async function end(child: ChildProcess): Promise<void> {
	const exited = new Promise((resolve) => child.once('close', resolve));
	if (child.exitCode !== null || child.signalCode !== null) return;
	child.kill('SIGKILL');
	await exited;
}
