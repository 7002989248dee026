import type { Steps } from './steps.ts';

/** What the steps of one proof share. */
export interface Proof {
	readonly steps: Steps;
	/** Names of the packages on the stick, the older one first. */
	readonly packages: readonly [older: string, newer: string];
	/** The version after the newer one, on the stick as well; absent where no update from afar is proven. */
	readonly wanted?: string;
}

/** Waiting for an emulated processor on a busy machine. */
export const patienceMs = 8 * 60_000;

/** Where the technician's stick is mounted. */
export const stick = '/media/stick';

/** The head of a script of the office: it stops at the first fault, and has a session and a cache of its own. */
export const asOffice = `set -e
export STILEWARD_HOME=/var/tmp/office NODE_COMPILE_CACHE=/var/cache/stileward/office`;

/** A script that ends with 0 where the gate's lane works. */
export const ready = 'systemctl show -P StatusText stileward-gate | grep -q "1 lane(s) work"';
