import { join } from 'node:path';
import type { ClockReset } from './core/clock-reset.ts';
import { StilewardError } from './core/errors.ts';
import { advanceKeyset, type Keyset } from './core/keyset.ts';
import type { Ledger } from './core/ledger.ts';
import { keyFiles } from './keys/key-files.ts';
import { loadClockReset, loadTrust, type Trust } from './keys/key-folder.ts';

/** What a gate trusts, read from its key folder. */
export interface GateTrust {
	/** The keyset in use; a newer manifest in the folder takes its place by itself. */
	readonly keyset: () => Keyset;
	readonly warnings: readonly string[];
	/** The newest clock reset of the root key, where there is one. */
	readonly clockReset: ClockReset | undefined;
	/** Looks at the folder again. Rejects with `manifest_*` or `keys_*`; the keyset in use then stays. */
	refresh(): Promise<'same' | 'newer'>;
}

/** Where the ledger remembers the newest manifest version, so that a restart refuses an older one. */
const versionMemory = 'manifest_version';

/** Where it remembers the root key of its first start. */
const rootMemory = 'root_kid';

/**
 * Loads the keys of a gate. The root key of the first start is pinned: who could exchange it could make tickets.
 * Throws `keys_missing`, `keys_invalid`, `manifest_invalid` also for another root key, `clock_reset_invalid`, and
 * `manifest_rollback` where this ledger has seen a newer manifest.
 */
export async function loadGateTrust(dir: string, ledger: Ledger): Promise<GateTrust> {
	const first = await loadTrust(dir);
	const pinned = (await ledger.recall(rootMemory)) ?? first.root;
	assertPinned(first, pinned, dir);
	const remembered = Number((await ledger.recall(versionMemory)) ?? 0);
	if (first.manifest.version < remembered) {
		const versions = `version ${first.manifest.version} is older than ${remembered}, which this gate has used`;
		throw new StilewardError('manifest_rollback', `${join(dir, keyFiles.manifest)}: ${versions}`);
	}
	const clockReset = await loadClockReset(dir);
	let { keyset } = first;
	// Nothing is written where nothing is new: a gate must be able to start on a full disk.
	if ((await ledger.recall(rootMemory)) === undefined) await ledger.remember(rootMemory, pinned);
	if (keyset.version > remembered) await ledger.remember(versionMemory, `${keyset.version}`);
	return {
		keyset: () => keyset,
		warnings: first.warnings,
		clockReset,
		refresh: async () => {
			const trust = await loadTrust(dir);
			assertPinned(trust, pinned, dir);
			const next = await advanceKeyset(keyset, trust.manifest);
			if (next === keyset) return 'same';
			await ledger.remember(versionMemory, `${next.version}`);
			keyset = next;
			return 'newer';
		},
	};
}

function assertPinned({ root }: Trust, pinned: string, dir: string): void {
	if (root === pinned) return;
	const advice = 'restore the key folder, or give a gate of another installation a new data folder';
	throw new StilewardError(
		'manifest_invalid',
		`${dir}: its root key is ${root}, this gate has pinned ${pinned}; ${advice}`,
	);
}
