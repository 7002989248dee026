import { beforeEach, describe, expect, it } from 'vitest';
import { createAdmitter } from './admit.ts';
import { issueTicket } from './issue.ts';
import type { RedeemResult } from './lane-state.ts';
import type { Ledger } from './ledger.ts';
import { createMemoryLedger } from './memory-ledger.ts';
import { type ClassPolicy, classPolicyDefaults } from './policy.ts';
import type { RedemptionId } from './redemption.ts';
import { ed25519Jwk, issuerOf, keysetOf } from './test-issuer.suite.ts';
import { type Ticket, ticketId } from './ticket.ts';

const nowMs = Date.UTC(2026, 10, 22, 10, 45);
const quarterMs = 15 * 60_000;
const window = { nbf: nowMs / 1000 - 1, exp: nowMs / 1000 + 1 };
const limited: ClassPolicy = { ...classPolicyDefaults, unverifiedPerHour: 2 };
const classes = {
	limited,
	strict: { ...limited, unverifiedLimit: 'refuse' },
	homely: { ...limited, homeOnly: true },
} as const;

let ledger: Ledger;
let atMs: number;
let redemptions: number;
beforeEach(() => {
	ledger = createMemoryLedger({ epoch: 'epoch-1', device: 'gate-1' });
	atMs = nowMs;
	redemptions = 0;
});

async function admitter() {
	const keyset = await keysetOf(ed25519Jwk);
	return createAdmitter({
		keyset: () => keyset,
		ledger,
		policy: {
			evt: 'lantern-2026',
			timeZone: 'UTC',
			dayStartsAtMinutes: 0,
			classes,
			unknownClass: 'admit',
			sessions: {},
		},
		agent: 'gate-1',
		lane: { id: 'lane-1', zone: 'main' },
		clock: () => ({ nowMs: atMs, trusted: true }),
		authority: () => 'out_of_reach',
		newRedemptionId: () => {
			redemptions += 1;
			// Any text names a redemption here.
			return `redemption-${redemptions}` as RedemptionId;
		},
		onError: () => undefined,
	});
}

function ticketOf(cls: string, idx: number): Ticket {
	return {
		id: ticketId('lantern-2026', idx),
		evt: 'lantern-2026',
		idx,
		cls,
		use: 1,
		...(cls === 'homely' && { home: 'gate-1' }),
	};
}

/** Redeems so many tickets of a class and tells each answer with the limit that it carries. */
async function redeem(cls: string, count: number, from = 0): Promise<unknown[]> {
	const { redeem } = await admitter();
	const told: unknown[] = [];
	for (let idx = from; idx < from + count; idx += 1) {
		const result: RedeemResult = await redeem(ticketOf(cls, idx), 'entry');
		if (result.kind !== 'exited') told.push([result.kind, result.unverifiedLimitMs]);
	}
	return told;
}

describe('the limit of admissions that the authority has not confirmed', () => {
	it('is told from the admission on that reaches it, until the clock hour ends', async () => {
		expect(await redeem('limited', 3)).toEqual([
			['granted', undefined],
			['granted', quarterMs],
			['granted', quarterMs],
		]);
		atMs += quarterMs;
		expect(await redeem('limited', 1, 3)).toEqual([['granted', undefined]]);
	});

	it('is told with the refusals of a class that refuses beyond it', async () => {
		expect(await redeem('strict', 3)).toEqual([
			['granted', undefined],
			['granted', quarterMs],
			['refused', quarterMs],
		]);
		const code = await issueTicket(
			{ evt: 'lantern-2026', idx: 9, cls: 'strict', ...window },
			await issuerOf(ed25519Jwk),
			'compact',
		);
		expect(await (await admitter()).check(code, 'entry')).toMatchObject({
			kind: 'refused',
			refusal: { reason: 'offline_refused' },
			unverifiedLimitMs: quarterMs,
		});
	});

	it('does not concern the rung home, classes without a limit, or another refusal', async () => {
		expect(await redeem('homely', 3)).toEqual(Array(3).fill(['granted', undefined]));
		expect(await redeem('adult', 3, 10)).toEqual(Array(3).fill(['granted', undefined]));
		await redeem('limited', 2, 20);
		expect(await redeem('limited', 1, 20)).toEqual([['refused', undefined]]);
	});
});

describe('a check', () => {
	const claims = { evt: 'lantern-2026', idx: 7, cls: 'adult', ...window };

	it('calls a forged ticket forged, also where the ledger fails', async () => {
		const code = await issueTicket(claims, await issuerOf(ed25519Jwk), 'jws');
		const [header, payload] = code.split('.');
		const { check } = await admitter();
		await ledger.close();
		const forged = await check(`${header}.${payload}.${'A'.repeat(86)}`, 'entry');
		expect(forged).toMatchObject({ kind: 'refused', refusal: { reason: 'bad_signature' } });
		expect(await check(code, 'entry')).toEqual({ kind: 'refused', refusal: { reason: 'ledger_error' } });
	});

	it('reads the history while the signature is checked, so also for a ticket that proves to be forged', async () => {
		const [header, payload] = (await issueTicket(claims, await issuerOf(ed25519Jwk), 'jws')).split('.');
		let reads = 0;
		const { history } = ledger;
		ledger.history = (request) => {
			reads += 1;
			return history.call(ledger, request);
		};
		const { check } = await admitter();
		await check(`${header}.${payload}.${'A'.repeat(86)}`, 'entry');
		expect(reads).toBe(1);
	});
});
