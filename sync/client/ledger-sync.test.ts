import { beforeEach, describe, expect, test } from 'vitest';
import { wholeTicket } from '../../gate-agent/core/allowance.ts';
import type { Decision } from '../../gate-agent/core/decide.ts';
import { genesisHash, rowHash } from '../../gate-agent/core/journal.ts';
import type { Ledger, RedeemRequest } from '../../gate-agent/core/ledger.ts';
import { createMemoryLedger } from '../../gate-agent/core/memory-ledger.ts';
import type { Policy } from '../../gate-agent/core/policy.ts';
import type { RedemptionId } from '../../gate-agent/core/redemption.ts';
import { ticketId } from '../../gate-agent/core/ticket.ts';
import type { AdmissionChange } from '../protocol/feed.ts';
import { hashText } from '../protocol/segment-jws.ts';
import { type LedgerSync, openLedgerSync, type VenueRules } from './ledger-sync.ts';
import type { LoadedSnapshot } from './replica.ts';

const device = 'D'.repeat(43);
const evt = 'lantern-2026';
const nowMs = 1_790_000_000_000;
const policy: Policy = {
	...{ evt, timeZone: 'Asia/Shanghai', dayStartsAtMinutes: 0, classes: {}, unknownClass: 'admit', sessions: {} },
};

let ledger: Ledger;
let sync: LedgerSync;
let told: VenueRules[];
let refused: string[];

async function open(): Promise<void> {
	sync = await openLedgerSync({
		ledger,
		device,
		nowMs: () => nowMs,
		onRules: (rules) => told.push(rules),
		onPolicyRefused: (event) => refused.push(event),
	});
}
beforeEach(async () => {
	ledger = createMemoryLedger({ epoch: 'e1', device });
	[told, refused] = [[], []];
	await open();
});

function requestOf(idx: number): RedeemRequest {
	const redemptionId = `redemption-${idx}` as RedemptionId;
	const about = { ticketId: ticketId(evt, idx), evt, idx, allowance: wholeTicket, cls: 'adult', use: 1 };
	return { redemptionId, ...about, lane: 'lane-1', zone: 'main', atMs: nowMs };
}
function change(idx: number, used: number, more: Partial<AdmissionChange> = {}): AdmissionChange {
	const row = { redemption: 'R'.repeat(22), device: 'E'.repeat(43), deviceEpoch: 'e9', seq: 1 };
	const right = { evt, idx, allowance: 'ticket', use: 1, used, held: 0 };
	return { ...right, ...row, lane: 'lane-9', atMs: nowMs, ...more };
}
function snapshot(more: Partial<LoadedSnapshot> = {}): LoadedSnapshot {
	return { cursor: { epoch: 1, control: 5, admissions: 7 }, events: [], ownThrough: 0, device: 'active', ...more };
}
const loadedEvent = { evt, policy, redeemed: new Map(), revoked: new Map(), counts: [] };
const admit = (idx: number) =>
	ledger.redeem(requestOf(idx), (): Decision => {
		return {
			...{ kind: 'grant', direction: 'entry', allowance: wholeTicket, uses: 1, reentry: false, rung: 'local', left: 0 },
		};
	});

describe('a ledger that follows its venue', () => {
	test('knows a use at another gate once the feed brought it, and where its cursor is after a restart', async () => {
		await sync.replica.load(snapshot({ events: [loadedEvent] }));
		const next = { epoch: 1, control: 6, admissions: 8 };
		const revoked = { kind: 'revoked' as const, evt, idx: [9] };
		await sync.replica.apply([{ kind: 'admission', change: change(3, 1) }, revoked], next);
		expect(await ledger.history(requestOf(3))).toMatchObject({ used: 1, last: { lane: 'lane-9', atMs: nowMs } });
		expect(await ledger.history(requestOf(9))).toMatchObject({ revoked: true });
		await sync.replica.apply([{ kind: 'restored', evt, idx: [9] }], { ...next, control: 7 });
		expect(await ledger.history(requestOf(9))).toMatchObject({ revoked: false });
		await open();
		expect(await sync.replica.cursor()).toEqual({ ...next, control: 7 });
		expect(sync.rules().policies[evt]).toEqual(policy);
	});

	test('counts an own row that a snapshot has, or the feed, only once', async () => {
		await admit(3);
		const counts = [{ allowance: 'ticket', rows: [[3, 1, 0, 1]] as [number, number, number, number][] }];
		await sync.replica.load(snapshot({ events: [{ ...loadedEvent, counts }], ownThrough: 1 }));
		expect(await ledger.history(requestOf(3))).toMatchObject({ used: 0, held: 1 });
		const own = change(3, 0, { held: 1, device, deviceEpoch: 'e1' });
		await sync.replica.apply([{ kind: 'own_admission', seq: 1, change: own }], { epoch: 1, control: 5, admissions: 8 });
		expect(await ledger.history(requestOf(3))).toMatchObject({ used: 0, held: 1 });
	});

	test('takes new rules and its own standing, and keeps what it does not understand out', async () => {
		await sync.replica.load(snapshot({ events: [loadedEvent], keys: 'manifest-1' }));
		const newer = { ...policy, unknownClass: 'staff' } as const;
		await sync.replica.apply(
			[
				{ kind: 'policy', evt, policy: newer },
				{ kind: 'policy', evt, policy: { ...policy, fromTheFuture: true } },
				{ kind: 'keys', manifest: 'manifest-2' },
				{ kind: 'device', device: 'E'.repeat(43), status: 'disabled' },
				{ kind: 'device', device, status: 'quarantined' },
			],
			{ epoch: 1, control: 10, admissions: 7 },
		);
		expect(told.at(-1)).toEqual({ policies: { [evt]: newer }, manifest: 'manifest-2', standing: 'quarantined' });
		expect(refused).toEqual([evt]);
		await sync.replica.load(snapshot({ events: [] }));
		expect(sync.rules()).toEqual({ policies: {}, manifest: 'manifest-2', standing: 'active' });
	});

	test('sends its rows verbatim, chained, and remembers per journal how far they came', async () => {
		await admit(1);
		await admit(2);
		const { prevHash, rows } = await sync.outbox.read(0, 10);
		expect(prevHash).toBe(hashText(genesisHash));
		expect(rows).toHaveLength(2);
		expect((await sync.outbox.read(1, 10)).prevHash).toBe(hashText(rowHash(genesisHash, rows[0] ?? '')));
		await sync.outbox.rememberAccepted(2);
		expect(await sync.outbox.acceptedThrough()).toBe(2);
		await ledger.beginEpoch();
		expect(sync.outbox.epoch).toBe(ledger.epoch);
		expect([await sync.outbox.head(), await sync.outbox.acceptedThrough()]).toEqual([0, 0]);
	});

	test('answers claims of its own journal, and cannot tell of one that is gone', async () => {
		await admit(1);
		const ask = (redemption: string, journal = 'e1') => sync.journal.answer({ redemption, journal });
		expect(await ask('redemption-1')).toBe('found');
		expect(await ask('redemption-2')).toBe('released');
		expect(await ask('redemption-2')).toBe('found');
		expect(await ask('redemption-3', 'e0')).toBe('lost');
		expect((await ledger.rows(0, 10)).map(({ kind }) => kind)).toEqual(['granted', 'released']);
	});
});
