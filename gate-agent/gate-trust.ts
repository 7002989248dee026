import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { type ClockReset, openClockReset } from './core/clock-reset.ts';
import { StilewardError } from './core/errors.ts';
import { advanceKeyset, type Keyset } from './core/keyset.ts';
import type { Ledger } from './core/ledger.ts';
import { keyFiles } from './keys/key-files.ts';
import { loadTrust } from './keys/key-folder.ts';

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

/** A root-signed clock reset beside the keys. */
export const clockResetFile = 'clock-reset.jws';

/**
 * Loads the keys of a gate. Throws `keys_missing`, `keys_invalid`, `manifest_invalid`, and `manifest_rollback` where this
 * ledger has seen a newer manifest.
 */
export async function loadGateTrust(dir: string, ledger: Ledger): Promise<GateTrust> {
	const first = await loadTrust(dir);
	const remembered = Number((await ledger.recall(versionMemory)) ?? 0);
	if (first.manifest.version < remembered) {
		const versions = `version ${first.manifest.version} is older than ${remembered}, which this gate has used`;
		throw new StilewardError('manifest_rollback', `${join(dir, keyFiles.manifest)}: ${versions}`);
	}
	let { keyset } = first;
	await ledger.remember(versionMemory, `${keyset.version}`);
	return {
		keyset: () => keyset,
		warnings: first.warnings,
		clockReset: await loadClockReset(dir),
		refresh: async () => {
			const { manifest } = await loadTrust(dir);
			const next = await advanceKeyset(keyset, manifest);
			if (next === keyset) return 'same';
			await ledger.remember(versionMemory, `${next.version}`);
			keyset = next;
			return 'newer';
		},
	};
}

async function loadClockReset(dir: string): Promise<ClockReset | undefined> {
	let jws: string;
	try {
		jws = await readFile(join(dir, clockResetFile), 'utf8');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
		throw new StilewardError('keys_invalid', `${join(dir, clockResetFile)} cannot be read`, { cause: error });
	}
	// `loadTrust` has read and checked this key already.
	const root = JSON.parse(await readFile(join(dir, keyFiles.rootPublic), 'utf8')) as JWK;
	return openClockReset(jws, root);
}
