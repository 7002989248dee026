import { decodeBase45, encodeBase45 } from '../../gate-agent/core/base45.ts';
import { assert, StilewardError } from '../../gate-agent/core/errors.ts';
import { issueTicket } from '../../gate-agent/core/issue.ts';
import { ticketId } from '../../gate-agent/core/ticket.ts';
import type { TicketClaims } from '../../gate-agent/core/ticket-claims.ts';
import { compactPrefix } from '../../gate-agent/core/ticket-compact.ts';
import { rememberIssued } from '../../gate-agent/keys/issued-numbers.ts';
import { initKeys, loadIssuer } from '../../gate-agent/keys/key-folder.ts';
import type { SampleName } from './page/practice-wire.ts';

/** The event whose tickets the practice lane admits. */
export const practiceEvent = 'lantern-2026';

/** A code that a visitor holds in the hand. */
export interface SampleCode {
	readonly code: string;
	/** Its number; absent for what is not a ticket. */
	readonly idx?: number;
}

/** One code for each sample. */
export type SampleCodes = Readonly<Record<SampleName, SampleCode>>;

const dayMs = 24 * 3_600_000;

type SampleClaims = Omit<TicketClaims, 'evt' | 'idx' | 'nbf' | 'exp'> & { readonly fromDays?: number };

const ticketSamples = {
	adult: { cls: 'adult', seat: 'A 区 12 排 8 座' },
	used: { cls: 'adult' },
	group: { cls: 'group', use: 3 },
	child: { cls: 'child' },
	student: { cls: 'student' },
	tomorrow: { cls: 'adult', fromDays: 1 },
	elsewhere: { cls: 'adult', zon: ['north_gate'] },
	forged: { cls: 'adult' },
} as const satisfies Readonly<Record<Exclude<SampleName, 'payment'>, SampleClaims>>;

type TicketSample = keyof typeof ticketSamples;

/** Makes the key folder of the practice lane unless it is there already. */
export async function ensureKeys(dir: string, nowMs: number): Promise<void> {
	try {
		await initKeys({ dir, nowMs, evt: practiceEvent });
	} catch (error) {
		if (!(error instanceof StilewardError) || error.code !== 'keys_exist') throw error;
	}
}

/** Issues a fresh set of samples; each ticket has a number that was never issued before. */
export async function issueSamples(keysDir: string, nowMs: number): Promise<SampleCodes> {
	// Object.keys gives string[]; the table has exactly these.
	const names = Object.keys(ticketSamples) as TicketSample[];
	const issuer = await loadIssuer(keysDir);
	const firstIdx = await rememberIssued(keysDir, { evt: practiceEvent, count: names.length });
	const codes = await Promise.all(
		names.map(async (name, n) => {
			const claims = claimsOf(ticketSamples[name], firstIdx + n, nowMs);
			const code = await issueTicket(claims, issuer.keyFor(practiceEvent, claims.idx), 'compact');
			return [name, { code, idx: claims.idx }] as const;
		}),
	);
	// Each name of the table was issued once.
	const tickets = Object.fromEntries(codes) as Record<TicketSample, SampleCode>;
	return {
		...tickets,
		forged: { ...tickets.forged, code: forge(tickets.forged.code) },
		payment: { code: `13${String(nowMs).padStart(16, '0').slice(-16)}` },
	};
}

function claimsOf({ fromDays = 0, ...claims }: SampleClaims, idx: number, nowMs: number): TicketClaims {
	const startMs = nowMs + fromDays * dayMs;
	return {
		...claims,
		evt: practiceEvent,
		idx,
		nbf: Math.floor(startMs / 1000),
		exp: Math.floor((startMs + dayMs) / 1000),
	};
}

/** The same ticket with one bit of its signature turned: what a forger without the key can make at best. */
function forge(code: string): string {
	const bytes = decodeBase45(code.slice(compactPrefix.length));
	const at = (bytes?.length ?? 0) - 20;
	assert(bytes !== undefined && at > 0, 'an issued ticket is base45');
	bytes[at] = (bytes[at] ?? 0) ^ 1;
	return compactPrefix + encodeBase45(bytes);
}

/** The identity of a sample ticket; undefined for what is not one. */
export function idOf({ idx }: SampleCode) {
	return idx === undefined ? undefined : ticketId(practiceEvent, idx);
}
