import type { Standing } from '../../gate-agent/core/decide.ts';
import { cursorNote, type Learned, type LearnedRight, type Ledger } from '../../gate-agent/core/ledger.ts';
import type { Policy } from '../../gate-agent/core/policy.ts';
import type { Allowance, RedemptionId } from '../../gate-agent/core/redemption.ts';
import { type Cursor, formatCursor, parseCursor } from '../protocol/cursor.ts';
import type { AdmissionChange } from '../protocol/feed.ts';
import { isPolicy } from '../protocol/policy.ts';
import { hashText } from '../protocol/segment-jws.ts';
import type { ClaimJournal } from './open-claims.ts';
import type { Outbox } from './pusher.ts';
import type { LoadedEvent, LoadedSnapshot, Replica, ReplicaChange } from './replica.ts';

/** What the venue has told a device beside its tickets. */
export interface VenueRules {
	/** By event. */
	readonly policies: Readonly<Record<string, Policy>>;
	/** The newest key manifest, vetted. */
	readonly manifest?: string;
	readonly standing: Standing;
}

/** What a ledger needs to follow its venue. */
export interface LedgerSyncOptions {
	readonly ledger: Ledger;
	/** The device id. */
	readonly device: string;
	/** Ledger time, milliseconds since 1970. */
	readonly nowMs: () => number;
	/** Told of new rules, after they became durable. */
	readonly onRules: (rules: VenueRules) => void;
	/** Told of a policy that this program does not understand: the rules that were there stay. */
	readonly onPolicyRefused: (evt: string) => void;
}

/** The three ports of the sync client over one ledger. */
export interface LedgerSync {
	readonly outbox: Outbox;
	readonly journal: ClaimJournal;
	readonly replica: Replica;
	rules(): VenueRules;
	/** A server has refused this device: it stays disabled over a restart, until the feed or a snapshot says otherwise. */
	disable(): Promise<void>;
}

/** Names of what the ledger notes for the sync. What belongs to one journal carries its epoch. */
const notes = {
	cursor: cursorNote,
	rules: 'sync_rules',
	accepted: (epoch: string) => `sync_accepted:${epoch}`,
};

/** A claim that comes back names no lane. */
const noLane = '-';

/** Opens the sync's side of a ledger: its rules are those that it kept. */
export async function openLedgerSync(options: LedgerSyncOptions): Promise<LedgerSync> {
	const { ledger, device, nowMs } = options;
	let rules = readRules(await ledger.recall(notes.rules));
	const keep = (next: VenueRules) => {
		if (next === rules) return;
		rules = next;
		options.onRules(next);
	};
	return {
		rules: () => rules,
		disable: async () => {
			const after: VenueRules = { ...rules, standing: 'disabled' };
			await ledger.remember(notes.rules, JSON.stringify(after));
			keep(after);
		},
		outbox: outboxOf(ledger, device),
		journal: {
			answer: async ({ redemption, journal }) => {
				if (journal !== ledger.epoch) return 'lost';
				// The authority gives back ids that this device has made.
				return ledger.release(redemption as RedemptionId, noLane, nowMs());
			},
		},
		replica: {
			cursor: async () => parseCursor((await ledger.recall(notes.cursor)) ?? ''),
			apply: async (changes, next) => {
				const after = changes.reduce((before, change) => rulesAfter(before, change, options), rules);
				const noted = after === rules ? { [notes.cursor]: formatCursor(next) } : notesOf(next, after);
				await ledger.learn(changes.flatMap(learnedOf), noted);
				keep(after);
			},
			load: async (snapshot) => {
				const after = rulesOf(snapshot, options, rules);
				await ledger.replaceLearned({
					lists: snapshot.events.flatMap(({ evt, redeemed, revoked }) => [
						{ evt, list: 'redeemed' as const, pages: redeemed },
						{ evt, list: 'revoked' as const, pages: revoked },
					]),
					rights: rightsOf(snapshot.events),
					ownThrough: snapshot.ownThrough,
					notes: notesOf(snapshot.cursor, after),
				});
				keep(after);
			},
		},
	};
}

function outboxOf(ledger: Ledger, device: string): Outbox {
	return {
		device,
		get epoch() {
			return ledger.epoch;
		},
		head: () => ledger.newestSeq(),
		read: async (seq, limit) => {
			const { before, rows } = await ledger.stored(seq, limit);
			return { prevHash: hashText(before), rows: rows.map(({ text }) => text) };
		},
		acceptedThrough: async () => Number((await ledger.recall(notes.accepted(ledger.epoch))) ?? 0),
		rememberAccepted: (seq) => ledger.remember(notes.accepted(ledger.epoch), `${seq}`),
	};
}

function notesOf(cursor: Cursor, rules: VenueRules): Readonly<Record<string, string>> {
	return { [notes.cursor]: formatCursor(cursor), [notes.rules]: JSON.stringify(rules) };
}

/** Where a ledger notes what the venue has told it. */
export const rulesNote = notes.rules;

/** Reads that note: of a gate that was told nothing yet, no event is known. */
export function readRules(text: string | undefined): VenueRules {
	// Written by `notesOf` alone.
	return text === undefined ? { policies: {}, standing: 'active' } : (JSON.parse(text) as VenueRules);
}

function rulesOf({ events, keys, device }: LoadedSnapshot, options: LedgerSyncOptions, before: VenueRules): VenueRules {
	const policies: Record<string, Policy> = {};
	for (const { evt, policy } of events) {
		const understood = understand(evt, policy, options) ?? before.policies[evt];
		if (understood !== undefined) policies[evt] = understood;
	}
	const manifest = keys ?? before.manifest;
	return { policies, standing: device, ...(manifest !== undefined && { manifest }) };
}

/** An event that has tickets and no rules yet has none here either. */
function understand(evt: string, policy: unknown, { onPolicyRefused }: LedgerSyncOptions): Policy | undefined {
	if (isPolicy(policy) && policy.evt === evt) return policy;
	if (policy !== undefined && policy !== null) onPolicyRefused(evt);
	return undefined;
}

function rulesAfter(before: VenueRules, change: ReplicaChange, options: LedgerSyncOptions): VenueRules {
	switch (change.kind) {
		case 'policy': {
			const policy = understand(change.evt, change.policy, options);
			return policy === undefined ? before : { ...before, policies: { ...before.policies, [change.evt]: policy } };
		}
		case 'keys':
			return { ...before, manifest: change.manifest };
		case 'device':
			return change.device === options.device ? { ...before, standing: change.status } : before;
		default:
			return before;
	}
}

function learnedOf(change: ReplicaChange): readonly Learned[] {
	switch (change.kind) {
		case 'revoked':
			return [{ kind: 'list', list: 'revoked', evt: change.evt, set: change.idx }];
		case 'restored':
			return [{ kind: 'list', list: 'revoked', evt: change.evt, set: [], clear: change.idx }];
		case 'admission':
			return [rightOf(change.change)];
		case 'own_admission':
			return [{ ...rightOf(change.change), ownSeq: change.seq }];
		default:
			return [];
	}
}

function rightOf({ evt, idx, allowance, use, used, held, lane, atMs }: AdmissionChange): LearnedRight {
	// A released claim says nothing of where a ticket was used.
	const last = used + held > 0 ? { last: { lane, atMs } } : {};
	// The schema has checked its form.
	return { kind: 'right', evt, idx, allowance: allowance as Allowance, use, used, held, ...last };
}

function* rightsOf(events: readonly LoadedEvent[]): Generator<LearnedRight> {
	for (const { evt, counts } of events) {
		for (const { allowance, rows } of counts) {
			for (const [idx, use, used, held] of rows) {
				yield { kind: 'right', evt, idx, allowance: allowance as Allowance, use, used, held };
			}
		}
	}
}
