import { StilewardError } from './errors.ts';
import type { PublicJwk } from './jwk.ts';
import { openManifest } from './key-manifest.ts';
import { advanceKeyset, type Keyset } from './keyset.ts';

/** The keys that a gate trusts because its venue's server sent a manifest that the pinned root key has signed. */
export interface VenueKeys {
	readonly keyset: () => Keyset;
	/** Takes a manifest. False for one that is not whole, not signed by the root, or older: the keys in use stay. */
	accept(manifest: string): Promise<boolean>;
	/** Why the newest manifest was refused. */
	readonly problem: () => string | undefined;
}

/** A gate that has no manifest yet knows no key. */
const noKeys: Keyset = {
	version: 0,
	manifest: { version: 0, issuedAt: 0, keys: [], revoked: [] },
	keys: new Map(),
};

/** Opens the keys with the manifest that the ledger has kept, if any. */
export async function openVenueKeys(rootKey: PublicJwk, kept: string | undefined): Promise<VenueKeys> {
	let keyset: Keyset = noKeys;
	let problem: string | undefined;
	const accept = async (manifest: string): Promise<boolean> => {
		try {
			const opened = await openManifest(manifest, rootKey);
			keyset = await advanceKeyset(keyset === noKeys ? undefined : keyset, opened);
			problem = undefined;
			return true;
		} catch (error) {
			if (!(error instanceof StilewardError)) throw error;
			problem = error.message;
			return false;
		}
	};
	if (kept !== undefined) await accept(kept);
	return { keyset: () => keyset, accept, problem: () => problem };
}
