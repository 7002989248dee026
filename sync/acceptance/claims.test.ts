import { describe, expect, it } from 'vitest';
import type { Claim, ClaimAnswer } from '../protocol/claims.ts';
import type { ResponseOf } from '../protocol/paths.ts';
import { bodyOf } from './answer.suite.ts';
import { claimOf, type Device, enrollDevice } from './device.suite.ts';
import { emptyStore, storeKinds } from './stores.suite.ts';
import { openVenue, type Venue } from './venue.suite.ts';

const devices = 40;
const claimsEach = 10;

/** Devices whose connections all stand already: their claims then arrive together. */
async function crowd(venue: Venue): Promise<readonly Device[]> {
	const all: Device[] = [];
	for (let each = 0; each < devices; each++) {
		all.push(await enrollDevice(venue, { name: `gate-${each}`, sockets: claimsEach }));
	}
	for (const device of all) {
		const calls = Array.from({ length: claimsEach }, () => device.call('openClaims', {}));
		for (const answer of await Promise.all(calls)) expect(answer.status).toBe(200);
	}
	return all;
}

interface Asked {
	readonly device: Device;
	readonly claim: Claim;
}

/** Asks for all at once, each claim in a request of its own. */
async function askAll(asked: readonly Asked[]): Promise<readonly ClaimAnswer[]> {
	const answers = await Promise.all(asked.map(({ device, claim }) => device.claim([claim])));
	return answers.flat();
}

async function claimAtOnce(all: readonly Device[], ticket: Partial<Claim> & { readonly idx: number }) {
	const asked = all.flatMap((device) => {
		return Array.from({ length: claimsEach }, () => ({ device, claim: claimOf(ticket.idx, ticket) }));
	});
	const answers = await askAll(asked);
	// Whoever lost the answer asks again, and all of them do so at once.
	expect(await askAll(asked)).toEqual(answers);
	const open = await Promise.all(all.map((device) => device.call('openClaims', {})));
	const held = open.flatMap((answer) => bodyOf<ResponseOf<'openClaims'>>(answer).claims.map((each) => each.redemption));
	const granted = answers.filter(({ result }) => result === 'granted').map(({ redemption }) => redemption);
	return { answers, granted, held };
}

describe.each(storeKinds)('400 claims from 40 devices at once, kept in %s', (kind) => {
	it('grant a ticket exactly once and a group of 20 exactly 20 times, and say the same again', async () => {
		await using store = await emptyStore(kind);
		await using venue = await openVenue({ store: store.url });
		const [single = -1] = await venue.issue('A-1', 1);
		const [group = -1] = await venue.issue('A-2', 1, 20);
		const all = await crowd(venue);

		const one = await claimAtOnce(all, { idx: single });
		expect(one.answers).toHaveLength(400);
		expect(one.granted).toHaveLength(1);
		expect(one.held).toEqual(one.granted);
		const refused = one.answers.filter(({ result }) => result === 'denied');
		for (const answer of refused) expect(answer).toMatchObject({ reason: 'in_progress', lane: 'lane-1' });

		const twenty = await claimAtOnce(all, { idx: group, cls: 'group', use: 20 });
		expect(twenty.granted).toHaveLength(20);
		expect(new Set(twenty.held)).toEqual(new Set([...one.granted, ...twenty.granted]));
		for (const device of all) device.close();
	}, 300_000);
});
