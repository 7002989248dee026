import { createHash, randomBytes } from 'node:crypto';
import { appendRow, emptyJournal, type JournalHead, type StoredRow } from '../../../gate-agent/core/journal.ts';
import type { Allowance, Fact, RedemptionId, Rung } from '../../../gate-agent/core/redemption.ts';
import { ticketId } from '../../../gate-agent/core/ticket.ts';
import type { Claim } from '../../protocol/claims.ts';
import type { Store, VenueClaim, VenueSegment } from '../store.ts';

/** Server time in tests: 2026-09-21. */
export const nowMs = 1_790_000_000_000;

/** The event of tests. */
export const evt = 'lantern-2026';

/** The device id that a name stands for. */
export function deviceNamed(name: string): string {
	return createHash('sha256').update(name).digest('base64url');
}

/** A new redemption id. */
export function newRedemption(): string {
	return randomBytes(16).toString('base64url');
}

/** A claim of a device for ticket `idx`. */
export function claimOf(venue: string, device: string, claim: Partial<Claim> & { readonly idx: number }): VenueClaim {
	const rest = {
		evt,
		allowance: 'ticket',
		cls: 'adult',
		use: 1,
		uses: 1,
		lane: 'lane-1',
		atMs: nowMs,
		journal: firstEpoch,
	};
	return { venue, device, atMs: nowMs, claim: { redemption: newRedemption(), ...rest, ...claim } };
}

/** A device that keeps a journal and cuts segments from it. */
export interface DeviceJournal {
	readonly venue: string;
	readonly device: string;
	readonly rows: readonly StoredRow[];
	append(fact: Fact): void;
	/** Rows of an admission: granted, and settled where `taken` is given. */
	admit(entry: Entry): string;
	settle(redemption: string, end: { idx: number; taken: number; back?: number; of?: number; late?: true }): void;
	segment(from: number, to?: number): VenueSegment;
	/** The same journal up to now, as a copied disk has it. */
	copy(): DeviceJournal;
}

/** One admission that a device grants. */
export interface Entry {
	readonly idx: number;
	readonly redemption?: string;
	readonly uses?: number;
	readonly use?: number;
	readonly rung?: Rung;
	readonly allowance?: string;
	readonly reentry?: true;
	readonly taken?: number;
	readonly back?: number;
}

/** Device epoch of a journal, unless it says otherwise. */
export const firstEpoch = 'epoch-1';

/** Begins a journal. */
export function journalOf(venue: string, device: string, epoch = firstEpoch): DeviceJournal {
	return continueJournal({ venue, device, head: emptyJournal(epoch), rows: [] });
}

function continueJournal(start: {
	venue: string;
	device: string;
	head: JournalHead;
	rows: StoredRow[];
}): DeviceJournal {
	const { venue, device, rows } = start;
	let { head } = start;
	const append = (fact: Fact) => {
		const next = appendRow(head, fact, nowMs + head.seq);
		head = next.head;
		rows.push(next.row);
	};
	const settle: DeviceJournal['settle'] = (redemption, { idx, taken, back = 0, of = taken + back, late }) => {
		const outcome = taken > 0 ? 'taken' : 'not_taken';
		const counts = { outcome, taken, of, back, ...(late && { late }) } as const;
		append({ kind: 'settled', redemption: brand(redemption), ticket: ticketId(evt, idx), ...counts, lane: 'lane-1' });
	};
	return {
		venue,
		device,
		rows,
		append,
		settle,
		admit: (entry) => {
			const { idx, redemption = newRedemption(), uses = 1, use, rung = 'local', reentry, taken, back } = entry;
			// Tests name allowances as the policy would.
			const allowance = (entry.allowance ?? 'ticket') as Allowance;
			const ticket = { ticket: ticketId(evt, idx), allowance, cls: 'adult', uses, ...(use && { use }) };
			const place = { ...(reentry && { reentry }), rung, lane: 'lane-1', zone: 'main' };
			append({ kind: 'granted', redemption: brand(redemption), ...ticket, ...place });
			if (taken !== undefined) settle(redemption, { idx, taken, back: back ?? 0, of: uses });
			return redemption;
		},
		segment: (from, to = rows.length) => segmentOf({ venue, device, epoch: head.epoch }, rows, { from, to }),
		copy: () => continueJournal({ venue, device, head, rows: [...rows] }),
	};
}

/** Ids of tests are made in the form of real ones. */
function brand(redemption: string): RedemptionId {
	return redemption as RedemptionId;
}

function segmentOf(
	{ venue, device, epoch }: { readonly venue: string; readonly device: string; readonly epoch: string },
	rows: readonly StoredRow[],
	{ from, to }: { readonly from: number; readonly to: number },
): VenueSegment {
	const hashAt = (seq: number) => Buffer.from(rows[seq - 1]?.hash ?? new Uint8Array(32)).toString('base64url');
	const texts = rows.slice(from - 1, to).map(({ text }) => text);
	return {
		...{ venue, device, deviceEpoch: epoch, from, to, prevHash: hashAt(from - 1), lastHash: hashAt(to), rows: texts },
		// The caller has checked the signature; the store keeps the text as it came.
		jws: `e30.${Buffer.from(JSON.stringify({ device, epoch, from, to, rows: texts })).toString('base64url')}.c2ln`,
		atMs: nowMs,
	};
}

/** Makes a venue with an event, if it is new, and enrolls devices by name; gives their ids. */
export async function prepareVenue(store: Store, venue: string, names: readonly string[]): Promise<readonly string[]> {
	if ((await store.head(venue)) === undefined) {
		await store.createVenue({ id: venue, name: venue, server: 'centre', atMs: nowMs });
		await store.putEvent(venue, { evt, policy: { evt } }, nowMs);
	}
	const devices: string[] = [];
	for (const name of names) {
		const codeHash = newRedemption();
		const device = deviceNamed(`${venue}/${name}`);
		await store.addEnrollmentCode({ venue, name, codeHash, expiresMs: nowMs + 1 });
		await store.enroll({ codeHash, jwk: { kty: 'OKP', crv: 'Ed25519', x: device }, device, atMs: nowMs });
		devices.push(device);
	}
	return devices;
}
