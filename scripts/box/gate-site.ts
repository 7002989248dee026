import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a technician brings for a gate: keys and configuration, and tickets to try it with. */
export interface GateSite {
	/** Folder of `gate.yaml` and `keys`. */
	readonly folder: string;
	readonly tickets: readonly string[];
}

const cli = fileURLToPath(new URL('../stileward.ts', import.meta.url));

/** The event of the example gate. */
const event = 'lantern-2026';
const ticketCount = 16;
const hourMs = 3_600_000;

/** How long the gate's pulse is: long enough to stop or kill the agent in the middle of one, on a slow machine, too. */
export const pulseMs = 10_000;

/** A lane with the names that the package's udev rules give. */
const config = `agent: gate-1
event: ${event}
keys: /etc/stileward/keys
data: /var/lib/stileward/gate
classes:
  adult: {}
lanes:
  - id: lane-1
    zone: main
    mode: entry
    holdOffMs: 50
    scanner: { driver: serial-line, path: /dev/stileward/ftdi-LAB-SCANNER, baudRate: 9600, suffix: cr }
    relay: { driver: serial-lcus, path: /dev/stileward/ftdi-LAB-RELAY, channels: 2, channel: 1, pulseMs: ${pulseMs} }
`;

/** Makes keys, tickets that are valid today, and the gate's file, with the project's own command line. */
export function writeGateSite(dir: string): GateSite {
	const folder = join(dir, 'site');
	const keys = join(dir, 'issuer');
	mkdirSync(join(folder, 'keys'), { recursive: true });
	stileward('keys', 'init', '--dir', keys);
	const at = (hours: number) => new Date(Date.now() + hours * hourMs).toISOString();
	const window = ['--from', at(-1), '--until', at(12)];
	const what = ['--event', event, '--class', 'adult', '--count', String(ticketCount)];
	const tickets = stileward('ticket', 'issue', '--keys', keys, ...what, ...window);
	execFileSync('cp', [join(keys, 'manifest.jws'), join(keys, 'root.public.jwk'), join(folder, 'keys')]);
	writeFileSync(join(folder, 'gate.yaml'), config);
	return { folder, tickets: tickets.split('\n').filter((line) => line !== '') };
}

function stileward(...args: readonly string[]): string {
	return execFileSync(process.execPath, [cli, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
