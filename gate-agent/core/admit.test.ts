import { beforeEach, describe, expect, it } from 'vitest';
import { type AdmitDeps, createAdmitter } from './admit.ts';
import { type Authority, type ClaimRequest, type ClaimVerdict, noAuthority } from './authority.ts';
import { issueTicket } from './issue.ts';
import type { RedeemResult } from './lane-state.ts';
import type { Ledger } from './ledger.ts';
import { createMemoryLedger } from './memory-ledger.ts';
import { type ClassPolicy, classPolicyDefaults, type Policy } from './policy.ts';
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
	absent: { ...classPolicyDefaults, offline: 'refuse' },
	tour: { ...classPolicyDefaults, group: 'run' },
} as const;

let ledger: Ledger;
let atMs: number;
let redemptions: number;
beforeEach(() => {
	ledger = createMemoryLedger({ epoch: 'epoch-1', device: 'gate-1' });
	atMs = nowMs;
	redemptions = 0;
});

const policy: Policy = {
	evt: 'lantern-2026',
	timeZone: 'UTC',
	dayStartsAtMinutes: 0,
	classes,
	unknownClass: 'admit',
	sessions: {},
};

async function admitter(authority: Authority = noAuthority, more: Partial<AdmitDeps> = {}) {
	const keyset = await keysetOf(ed25519Jwk);
	return createAdmitter({
		keyset: () => keyset,
		ledger,
		policyOf: (evt) => (evt === policy.evt ? policy : undefined),
		agent: 'gate-1',
		lane: { id: 'lane-1', zone: 'main' },
		clock: () => ({ nowMs: atMs, trusted: true }),
		authority,
		standing: () => 'active',
		listsStale: () => false,
		newRedemptionId: () => {
			redemptions += 1;
			// Any text names a redemption here.
			return `redemption-${redemptions}` as RedemptionId;
		},
		onError: () => undefined,
		...more,
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

describe('a claim at the authority', () => {
	/** An authority that answers as it is told, and tells what it heard. */
	function authorityThat(...verdicts: readonly ClaimVerdict[]) {
		const asked: ClaimRequest[] = [];
		const done: string[] = [];
		const authority: Authority = {
			state: () => 'reachable',
			claim: async (request) => {
				asked.push(request);
				return verdicts[asked.length - 1] ?? { kind: 'out_of_reach' };
			},
			done: (id) => done.push(id),
		};
		return { authority, asked, done };
	}
	const rows = async () => {
		await ledger.flush();
		return (await ledger.rows(0, 100)).map((row) => ('redemption' in row ? [row.kind, row.redemption] : [row.kind]));
	};

	it('stands behind the rung `authority`, and is done once its row is there', async () => {
		const { authority, asked, done } = authorityThat({ kind: 'granted' });
		const { redeem } = await admitter(authority);
		expect(await redeem(ticketOf('limited', 1), 'entry')).toMatchObject({
			kind: 'granted',
			grant: { rung: 'authority' },
		});
		expect(asked).toMatchObject([
			{ evt: 'lantern-2026', idx: 1, allowance: 'ticket', use: 1, uses: 1, lane: 'lane-1' },
		]);
		expect(done).toEqual(['redemption-1']);
		expect(await rows()).toEqual([['granted', 'redemption-1']]);
	});

	it('that is denied refuses, with the place that the authority knows', async () => {
		const refusal = { reason: 'already_redeemed', lane: 'lane-9', atMs: nowMs } as const;
		const { authority, done } = authorityThat({ kind: 'denied', refusal, left: 0 });
		const { redeem } = await admitter(authority);
		expect(await redeem(ticketOf('limited', 1), 'entry')).toEqual({ kind: 'refused', refusal });
		expect(done).toEqual(['redemption-1']);
		expect(await rows()).toEqual([]);
	});

	it('without an answer leaves the ticket to its class', async () => {
		const { authority } = authorityThat();
		const { redeem } = await admitter(authority);
		expect(await redeem(ticketOf('limited', 1), 'entry')).toMatchObject({ kind: 'granted', grant: { rung: 'local' } });
		expect(await redeem(ticketOf('absent', 2), 'entry')).toEqual({
			kind: 'refused',
			refusal: { reason: 'offline_refused' },
		});
	});

	it('goes back at once where the second decision refuses', async () => {
		const { authority, done } = authorityThat({ kind: 'granted' });
		const { redeem } = await admitter({
			...authority,
			claim: async (request) => {
				// A refund arrives while the authority answers.
				await ledger.learn([{ kind: 'list', evt: 'lantern-2026', list: 'revoked', set: [1] }]);
				return authority.claim(request);
			},
		});
		expect(await redeem(ticketOf('limited', 1), 'entry')).toMatchObject({ refusal: { reason: 'revoked' } });
		expect(await rows()).toEqual([['released', 'redemption-1']]);
		expect(done).toEqual(['redemption-1']);
	});

	it('is not made for what this ledger refuses, nor for a home-only ticket', async () => {
		const { authority, asked } = authorityThat({ kind: 'granted' });
		const { redeem } = await admitter(authority);
		await ledger.learn([{ kind: 'list', evt: 'lantern-2026', list: 'redeemed', set: [1] }]);
		expect(await redeem(ticketOf('limited', 1), 'entry')).toMatchObject({ refusal: { reason: 'already_redeemed' } });
		expect(await redeem(ticketOf('homely', 2), 'entry')).toMatchObject({ grant: { rung: 'home' } });
		expect(asked).toEqual([]);
	});

	it('of a group asks once more for what is left, and grants no more than that', async () => {
		const refusal = { reason: 'no_uses_left', use: 20 } as const;
		const { authority, asked, done } = authorityThat({ kind: 'denied', refusal, left: 12 }, { kind: 'granted' });
		const { redeem } = await admitter(authority);
		const group = { ...ticketOf('tour', 1), use: 20 };
		expect(await redeem(group, 'entry')).toMatchObject({ kind: 'granted', grant: { uses: 12, rung: 'authority' } });
		expect(asked.map(({ uses }) => uses)).toEqual([20, 12]);
		expect(done).toEqual(['redemption-1', 'redemption-2']);
	});

	it('is for as many people as staff have counted, and says how many may enter where that is too many', async () => {
		const refusal = { reason: 'no_uses_left', use: 20 } as const;
		const { authority, asked } = authorityThat({ kind: 'granted' }, { kind: 'denied', refusal, left: 3 });
		const { redeem } = await admitter(authority);
		const group = { ...ticketOf('limited', 1), use: 20 };
		expect(await redeem(group, 'entry', { by: 'chen', people: 8 })).toMatchObject({ grant: { uses: 8 }, left: 12 });
		expect(await redeem(group, 'entry', { by: 'chen', people: 5 })).toEqual({
			kind: 'refused',
			refusal: { ...refusal, left: 3 },
		});
		expect(asked.map(({ uses }) => uses)).toEqual([8, 5]);
		expect(asked[0]).not.toHaveProperty('by');
		expect(await ledger.rows(0, 9)).toMatchObject([{ kind: 'granted', uses: 8, rung: 'authority', by: 'chen' }]);
	});

	it('is not made for an override, which says who and why', async () => {
		const { authority, asked } = authorityThat({ kind: 'granted' });
		const { redeem, override } = await admitter(authority);
		await redeem(ticketOf('limited', 1), 'entry');
		const word = { by: 'li', reason: 'she went to the toilet' };
		expect(await override(ticketOf('limited', 1), word)).toMatchObject({ grant: { rung: 'staff', uses: 1 }, left: 0 });
		expect(asked).toHaveLength(1);
		expect((await ledger.rows(1, 9))[0]).toMatchObject({ kind: 'granted', rung: 'staff', ...word });
	});

	it('is all that a quarantined device admits on, and a disabled one admits on nothing', async () => {
		const { authority } = authorityThat({ kind: 'granted' });
		const quarantined = await admitter(authority, { standing: () => 'quarantined' });
		expect(await quarantined.redeem(ticketOf('limited', 1), 'entry')).toMatchObject({ grant: { rung: 'authority' } });
		expect(await quarantined.redeem(ticketOf('limited', 2), 'entry')).toMatchObject({
			refusal: { reason: 'offline_refused' },
		});
		expect(await quarantined.redeem(ticketOf('homely', 3), 'entry')).toMatchObject({
			refusal: { reason: 'offline_refused' },
		});
		const disabled = await admitter(authorityThat({ kind: 'granted' }).authority, { standing: () => 'disabled' });
		expect(await disabled.redeem(ticketOf('limited', 4), 'entry')).toMatchObject({
			refusal: { reason: 'offline_refused' },
		});
	});

	it('is needed where lists are stale and the event says so', async () => {
		const stale = { listsStale: () => true, policyOf: () => ({ ...policy, staleList: 'refuse' as const }) };
		const alone = await admitter(noAuthority, stale);
		expect(await alone.redeem(ticketOf('limited', 1), 'entry')).toMatchObject({
			refusal: { reason: 'offline_refused' },
		});
		const asking = await admitter(authorityThat({ kind: 'granted' }).authority, stale);
		expect(await asking.redeem(ticketOf('limited', 1), 'entry')).toMatchObject({ kind: 'granted' });
	});
});

describe('an event that this gate does not serve', () => {
	it('is named to the visitor, and a forged ticket of it is still called forged', async () => {
		const { check } = await admitter(noAuthority, { policyOf: () => undefined });
		const claims = { evt: 'lantern-2026', idx: 1, cls: 'limited', use: 1, ...window };
		const genuine = await issueTicket(claims, await issuerOf(ed25519Jwk), 'jws');
		const forged = `${genuine.slice(0, -8)}AAAAAAAA`;
		expect(await check(genuine, 'entry')).toMatchObject({ refusal: { reason: 'wrong_event', evt: 'lantern-2026' } });
		expect(await check(forged, 'entry')).toMatchObject({ refusal: { reason: 'bad_signature' } });
	});
});
