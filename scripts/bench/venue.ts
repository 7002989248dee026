import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { issueTicket } from '../../gate-agent/core/issue.ts';
import { initKeys, loadIssuer } from '../../gate-agent/keys/key-folder.ts';

/** The event of the measurements: as many tickets as a large festival sells, a fifth of them used. */
export const event = { evt: 'lantern-2026', tickets: 1_000_000, redeemed: 200_000 } as const;

/** The gate of the measurements: the example that technicians begin with. */
export const gateFile = fileURLToPath(new URL('../../device-configs/gates/serial-lcus.yaml', import.meta.url));

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Multiplying by an odd number permutes 0 … 2²⁰ − 1, so that used numbers lie scattered over all pages. */
const scatter = 389_171;

/** The `n`-th number of the event in scattered order; the first `event.redeemed` of them are used. */
export function scatteredIdx(n: number): number {
	let idx = n;
	// Numbers beyond the event's are walked through (cycle walking): the result stays a permutation.
	do idx = (idx * scatter) % 2 ** 20;
	while (idx >= event.tickets);
	return idx;
}

/** A folder of keys and a source of tickets that nobody has used. */
export interface Venue {
	readonly keys: string;
	/** `count` new codes, in the compact form. `expired` ones are refused by everybody. */
	tickets(count: number, validity?: 'valid' | 'expired'): Promise<readonly string[]>;
}

/** Makes keys under `dir`. */
export async function openVenue(dir: string): Promise<Venue> {
	const keys = join(dir, 'keys');
	await initKeys({ dir: keys, nowMs: Date.now() });
	const issuer = await loadIssuer(keys);
	const nowS = Math.floor(Date.now() / 1000);
	let next: number = event.redeemed;
	return {
		keys,
		tickets: async (count, validity = 'valid') => {
			const exp = validity === 'valid' ? nowS + 86_400 : nowS - 3_600;
			const codes: string[] = [];
			for (let i = 0; i < count; i += 1) {
				const idx = scatteredIdx(next);
				next += 1;
				const claims = { evt: event.evt, idx, cls: 'adult', nbf: nowS - 86_400, exp };
				codes.push(await issueTicket(claims, issuer.keyFor(event.evt, idx), 'compact'));
			}
			return codes;
		},
	};
}
