import { hash, randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { wholeTicket } from '../../gate-agent/core/allowance.ts';
import { emptyJournal, type JournalHead } from '../../gate-agent/core/journal.ts';
import { onlyPublic, type PublicJwk } from '../../gate-agent/core/jwk.ts';
import { ticketId } from '../../gate-agent/core/ticket.ts';
import { deviceIdOf } from '../../sync/protocol/enroll.ts';
import { hashText, signSegment } from '../../sync/protocol/segment-jws.ts';
import { event } from './venue.ts';

/** A device with a key and a journal in memory, from which it cuts signed segments. */
export interface JournalDevice {
	readonly device: string;
	readonly key: JWK;
	readonly publicKey: PublicJwk;
	/** Signs the journal's next rows: an admission of each ticket, as a `granted` and a `settled` row. */
	segment(tickets: readonly number[]): Promise<SignedSegment>;
}

/** A piece of a journal, signed. */
export interface SignedSegment {
	readonly jws: string;
	readonly from: number;
	readonly to: number;
	readonly rows: readonly string[];
}

/** Makes a device. */
export async function createJournalDevice(): Promise<JournalDevice> {
	const key = await exportJWK((await generateKeyPair('Ed25519', { extractable: true })).privateKey);
	const publicKey = onlyPublic(key);
	const device = await deviceIdOf(publicKey);
	let head = emptyJournal(randomBytes(6).toString('base64url'));
	return {
		device,
		key,
		publicKey,
		segment: async (tickets) => {
			const { epoch, seq, hash: before } = head;
			const rows: string[] = [];
			for (const idx of tickets) for (const fact of admissionOf(idx)) head = append(head, rows, fact);
			const [from, to] = [seq + 1, head.seq];
			const segment = { device, epoch, from, to, prevHash: hashText(before), rows };
			return { jws: await signSegment(segment, key), from, to, rows };
		},
	};
}

/** What a lane writes of one visitor. */
function admissionOf(idx: number): readonly object[] {
	const redemption = randomBytes(16).toString('base64url');
	const ticket = ticketId(event.evt, idx);
	const rights = { ticket, allowance: wholeTicket, cls: 'adult', uses: 1, rung: 'authority' };
	return [
		{ kind: 'granted', redemption, ...rights, lane: 'lane-1', zone: 'main' },
		{ kind: 'settled', redemption, ticket, outcome: 'taken', taken: 1, of: 1, back: 0, lane: 'lane-1' },
	];
}

/** As `appendRow` of the core, with the runtime's hash: a benchmark makes hundreds of thousands of rows. */
function append(head: JournalHead, rows: string[], fact: object): JournalHead {
	const seq = head.seq + 1;
	const text = JSON.stringify({ seq, epoch: head.epoch, at: Date.now(), ...fact });
	rows.push(text);
	const bytes = Buffer.concat([head.hash, Buffer.from(text)]);
	return { ...head, seq, hash: hash('sha256', bytes, 'buffer') };
}
