import { stat } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import type { GateConfig } from '../config.ts';
import type { LaneStatus } from '../core/lane.ts';
import type { DeviceHealth, Health, LedgerState } from '../health.ts';
import { textOf } from '../nodes/sysfs.ts';
import type { VenueHealth } from '../venue-link.ts';
import { openersOf } from './open-files.ts';
import type { MachineRoots } from './surroundings.ts';

/** What `/healthz` of a running agent says, as far as checks read it. */
export interface AgentHealth extends Pick<Health, 'ok' | 'version'> {
	readonly lanes: Readonly<Record<string, LaneStatus>>;
	readonly devices: Readonly<Record<string, DeviceHealth>>;
	readonly ledger: LedgerState;
	readonly clock: Health['clock'];
	readonly keys: Health['keys'];
	readonly venue?: VenueHealth;
}

/** The agent of a configuration, as it shows itself on this machine. */
export interface RunningAgent {
	/** The process that holds the ledger; absent while none does, or where the kernel's list of locks cannot be read. */
	readonly pid?: number;
	/** Where its health should be; absent where nothing is served. */
	readonly url?: string;
	readonly health?: AgentHealth;
	/** Its figures in Prometheus' form. */
	readonly metrics?: string;
	/** Something else answers at `url`. */
	readonly stranger?: true;
}

/** Whether an agent runs, as far as can be told. */
export function isRunning({ pid, health }: RunningAgent): boolean {
	return pid !== undefined || health !== undefined;
}

/** Looks for the agent of a configuration: who holds its ledger, and what answers at its address. */
export async function findAgent(config: GateConfig, roots: MachineRoots): Promise<RunningAgent> {
	const lock = join(config.dataDir, 'ledger.lock');
	// Layered file systems (overlay, btrfs) list their locks under other numbers.
	const pid = (await lockHolder(lock, roots)) ?? (await openersOf(lock, roots))[0];
	const url = urlOf(config);
	const answer = url === undefined ? undefined : await read(`${url}/healthz`);
	const health = answer === undefined ? undefined : healthOf(answer);
	const metrics = health && (await read(`${url}/metrics`));
	return {
		...(pid !== undefined && { pid }),
		...(url !== undefined && { url }),
		...(health && { health }),
		...(metrics !== undefined && { metrics }),
		...(answer !== undefined && health === undefined && { stranger: true as const }),
	};
}

function urlOf({ http }: GateConfig): string | undefined {
	if (!http.enabled || http.port === 0) return undefined;
	const host = http.host === '0.0.0.0' ? '127.0.0.1' : http.host === '::' ? '::1' : http.host;
	return `http://${host.includes(':') ? `[${host}]` : host}:${http.port}`;
}

/**
 * Who holds the lock of a file: Linux lists them by device and inode (proc_locks(5)). The ledger's lock is SQLite's, a
 * POSIX one.
 */
export async function lockHolder(path: string, roots: MachineRoots): Promise<number | undefined> {
	const stats = await stat(path).catch(() => undefined);
	if (stats === undefined) return undefined;
	for (const line of (await textOf(roots.proc, 'locks')).split('\n')) {
		const [, pid, place] = /^\d+: \w+ +\w+ +WRITE (\d+) (\S+) /.exec(line) ?? [];
		if (place === placeOf(stats)) return Number(pid);
	}
	return undefined;
}

/** Device and inode as the list writes them: `fe:00:123456`. */
function placeOf({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
	const hex = (value: number) => value.toString(16).padStart(2, '0');
	return `${hex((dev >> 8) & 0xfff)}:${hex((dev & 0xff) | ((dev >> 12) & 0xfff00))}:${ino}`;
}

const readTimeoutMs = 3_000;
const bytesMax = 2 * 1024 * 1024;

function read(url: string): Promise<string | undefined> {
	return new Promise((resolve) => {
		const asked = request(url, { timeout: readTimeoutMs, agent: false }, (answer) => {
			let text = '';
			answer.setEncoding('utf8').on('data', (part: string) => {
				text += part;
				if (text.length > bytesMax) asked.destroy();
			});
			answer.once('end', () => resolve(text));
			answer.once('error', () => resolve(undefined));
		});
		asked.once('timeout', () => asked.destroy());
		asked.once('error', () => resolve(undefined));
		asked.end();
	});
}

/** Our agent says its version and its lanes, or that it starts. */
function healthOf(text: string): AgentHealth | undefined {
	try {
		const value = JSON.parse(text) as Partial<AgentHealth>;
		// A program of ours answers in this form; an agent that only starts has no lanes yet.
		return value.lanes && value.devices && value.ledger ? (value as AgentHealth) : undefined;
	} catch {
		return undefined;
	}
}
