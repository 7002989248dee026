import type { RedemptionId } from '../../../../gate-agent/core/redemption.ts';
import type { Refusal } from '../../../../gate-agent/core/refusal.ts';
import {
	type HandheldState,
	type LinkStatus,
	type OrderTicket,
	type TicketHistory,
	undoMs,
	type VenueLane,
	type Verdict,
} from '../../engine/handheld.ts';

/** A time inside the evening of the script: 2026-11-26, 19:42 in Shanghai. */
export const scriptedNowMs = Date.UTC(2026, 10, 26, 11, 42, 20);

const shown = { evt: 'lantern-2026', idx: 4711, cls: 'adult' } as const;

/** A healthy link. */
export function link(nowMs: number): LinkStatus {
	return {
		state: 'online',
		rung: 'authority',
		waiting: 3,
		lastSyncMs: nowMs - 4_000,
		listAgeMs: 4_000,
		alarm: false,
		persisted: true,
		clockTrusted: true,
		device: 'east-gate-h1',
		venue: 'lantern-park',
		timeZone: 'Asia/Shanghai',
		events: [
			{ evt: 'lantern-2026', classes: ['adult', 'child', 'senior', 'group'] },
			{ evt: 'lantern-2026-vip', classes: ['vip'] },
		],
	};
}

/** Three people may sign in. */
export function signedOut(nowMs: number): HandheldState {
	return { kind: 'signed_out', link: link(nowMs), known: ['wang.fang', 'li.na', 'm.chen'] };
}

/** The middle of a shift. */
export function working(nowMs: number): HandheldState & { kind: 'working' } {
	return {
		kind: 'working',
		link: link(nowMs),
		staff: { name: 'li.na', role: 'steward', untilMs: nowMs + 4 * 3_600_000, offline: false },
		post: { direction: 'entry', zone: 'main' },
		counters: { admitted: 318, left: 12, refused: 9, withoutTicket: 4 },
		undoable: [],
	};
}

function refusal(what: Refusal): Verdict {
	return { kind: 'refused', screen: { kind: 'refused', refusal: what }, shown, override: 7 };
}

/** The verdicts of the script, by the text that is scanned for them. */
export function verdicts(nowMs: number): Readonly<Record<string, Verdict>> {
	// A name for the admission; the page only hands it back.
	const redemptionId = 'scripted-redemption-01' as RedemptionId;
	const undo = { redemptionId, idx: 4711, cls: 'adult', people: 1, untilMs: nowMs + undoMs };
	const enter = { kind: 'granted', direction: 'entry' } as const;
	return {
		granted: {
			kind: 'granted',
			screen: { ...enter, cls: 'adult', seat: 'A 区 12 排 7 座' },
			shown: { ...shown, seat: 'A 区 12 排 7 座' },
			rung: 'authority',
			people: 1,
			left: 0,
			undo,
		},
		cue: {
			kind: 'granted',
			screen: { ...enter, cls: 'child', cue: 'check_height' },
			shown: { ...shown, cls: 'child' },
			rung: 'authority',
			people: 1,
			left: 0,
			undo: { ...undo, cls: 'child' },
		},
		annual: {
			kind: 'granted',
			screen: { ...enter, cls: 'annual', left: 3 },
			shown: { ...shown, cls: 'annual' },
			rung: 'local',
			people: 1,
			left: 3,
			undo: { ...undo, cls: 'annual' },
		},
		group: {
			kind: 'ask',
			why: 'count',
			screen: { kind: 'wait_staff', cls: 'group' },
			shown: { ...shown, cls: 'group' },
			ask: 5,
			left: 10,
		},
		confirm: {
			kind: 'ask',
			why: 'confirm',
			screen: { kind: 'wait_staff', cls: 'senior', cue: 'check_id' },
			shown: { ...shown, cls: 'senior' },
			ask: 6,
			left: 1,
		},
		exited: {
			kind: 'exited',
			screen: { kind: 'granted', direction: 'exit', cls: 'adult' },
			shown,
		},
		used: refusal({ reason: 'already_redeemed', lane: 'lane-3', atMs: nowMs - 37 * 60_000 }),
		early: refusal({ reason: 'not_yet_valid', fromMs: nowMs + 26 * 3_600_000 }),
		zone: refusal({ reason: 'wrong_zone', zones: ['north_garden', 'ice_palace'] }),
		forged: { kind: 'refused', screen: { kind: 'refused', refusal: { reason: 'bad_signature' } } },
		foreign: {
			kind: 'refused',
			screen: { kind: 'refused', refusal: { reason: 'not_a_ticket', code: 'payment_code' } },
		},
	};
}

/** A ticket with a past. */
export const history: TicketHistory = {
	evt: 'lantern-2026',
	idx: 4711,
	cls: 'adult',
	use: 2,
	order: 'A-20261126-0815',
	revoked: false,
	complete: true,
	uses: [
		{
			device: 'gate-3',
			lane: 'lane-3',
			atMs: scriptedNowMs - 37 * 60_000,
			rung: 'authority',
			outcome: 'taken',
			taken: 1,
		},
		{
			device: 'west-h2',
			lane: 'west-h2',
			atMs: scriptedNowMs - 92 * 60_000,
			rung: 'staff',
			outcome: 'not_taken',
			taken: 0,
			by: 'm.chen',
			reason: 'left_by_mistake',
		},
	],
};

/** An order of two tickets. */
export const order: readonly OrderTicket[] = [
	{ evt: 'lantern-2026', idx: 4711, cls: 'adult', use: 1, used: 1, revoked: false },
	{ evt: 'lantern-2026', idx: 4712, cls: 'child', use: 1, used: 0, revoked: false },
	{ evt: 'lantern-2026', idx: 4713, cls: 'senior', use: 1, used: 0, revoked: true },
];

/** A lane that waits and one that does not. */
export const lanes: readonly VenueLane[] = [
	{ device: 'gate-3', name: 'East gate', lane: 'lane-3', mode: 'entry', phase: 'confirming', seenMs: scriptedNowMs },
	{ device: 'gate-3', name: 'East gate', lane: 'lane-4', mode: 'entry', phase: 'idle', seenMs: scriptedNowMs },
];
