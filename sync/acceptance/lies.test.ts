import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ClaimResult } from '../client/claimer.ts';
import { streamSilenceMs } from '../client/feed-stream.ts';
import { httpsDefaults } from '../node/https-client.ts';
import { formatCursor } from '../protocol/cursor.ts';
import type { FeedPage } from '../protocol/feed.ts';
import type { Snapshot } from '../protocol/snapshot.ts';
import { openServerTls } from '../server/tls/venue-tls.ts';
import { claimOf, enrollDevice } from './device.suite.ts';
import { type Follower, follow } from './follower.suite.ts';
import { type GoBetween, type KeyAndChain, type Manner, type Passing, standBetween } from './go-between.suite.ts';
import { openVenue, until, type Venue } from './venue.suite.ts';

/** Waits of the client that take a minute in the world take less than eight seconds here. */
const pace = 8;

let venue: Venue;
let between: GoBetween;
let follower: Follower;
/** A key and a certificate that anybody can make for themselves. */
let stranger: KeyAndChain;
/** A ticket that was refunded before any lie. */
let refunded = -1;

beforeAll(async () => {
	venue = await openVenue();
	// In its first epoch a venue has no older one.
	await venue.end('SIGTERM');
	await venue.done('server', 'new-epoch', '--data', venue.data, '--venue', venue.id);
	await venue.start();
	between = await standBetween(venue);
	const { url } = between;
	const { fingerprint } = venue;
	const device = await enrollDevice(venue);
	device.close();
	follower = await follow(device, { url, fingerprint, pace });
	const dir = await mkdtemp(join(tmpdir(), 'stileward-stranger-'));
	stranger = await openServerTls({ dir, hosts: ['127.0.0.1'], nowMs: Date.now() });
	await rm(dir, { recursive: true });
	refunded = await refund();
	await until('the first refund', () => follower.isRevoked(refunded));
});
afterAll(async () => {
	await follower.stop();
	await between[Symbol.asyncDispose]();
	await venue[Symbol.asyncDispose]();
});
beforeEach(async () => {
	between.beHonest();
	await until('being online', isOnline);
});

let orders = 0;
/** Sells a ticket and refunds it; gives its number. */
async function refund(): Promise<number> {
	orders += 1;
	const order = `R-${orders}`;
	const body = { order, evt: 'lantern-2026', cls: 'adult', count: 1, claims: { nbf: 0, exp: 4_000_000_000 } };
	const sold = await venue.office({ method: 'POST', path: '/v1/office/orders', body });
	const [, ticket = ''] = String(sold.body).split('\n');
	expect((await venue.office({ method: 'POST', path: `/v1/office/orders/${order}/refund`, body: {} })).status).toBe(
		200,
	);
	return (JSON.parse(ticket) as { idx: number }).idx;
}

/** A manner that the client must not believe. */
interface Lie {
	readonly manner: Manner;
	readonly problem: string;
	/** Whether the lie was told often enough; once the client complains where it is absent. */
	readonly told?: () => boolean;
	readonly tls?: KeyAndChain;
}

/** The client is not online for this reason, what it knew stays as it was, and it hears the truth when that is back. */
async function expectDisbelief({ manner, problem, told = () => true, tls }: Lie): Promise<void> {
	const before = await follower.status();
	between.behave(manner, tls);
	const news = await refund();
	await until(`disbelief: ${problem}`, async () => {
		const now = await follower.status();
		return told() && now.state !== 'online' && now.problem === problem;
	});
	expect(await follower.isRevoked(refunded)).toBe(true);
	expect(await follower.isRevoked(news)).toBe(false);
	expect((await follower.status()).cursor).toEqual(before.cursor);
	between.beHonest();
	await until('the truth', () => follower.isRevoked(news));
	await until('being online', isOnline);
}

async function isOnline(): Promise<boolean> {
	return (await follower.status()).state === 'online';
}

const portal: Manner = ({ response }) => {
	response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome to our Wi-Fi</h1>');
};

/** Changes what the feed says: streams are refused, so that the client polls and each page can be changed whole. */
function feedThat(change: (page: FeedPage) => FeedPage, more: Manner = ({ pass }) => pass()): Manner {
	return async (passing) => {
		const { path, request, response, ask } = passing;
		if (path !== '/v1/feed') return more(passing);
		if (request.headers.accept === 'text/event-stream') {
			response.writeHead(404, { 'content-type': 'text/html' }).end();
			return;
		}
		const { status, type, text } = await ask();
		const page = status === 200 ? change(JSON.parse(text) as FeedPage) : JSON.parse(text);
		response.writeHead(status, { 'content-type': type }).end(JSON.stringify(page));
	};
}

/** The feed leaves entries out, which makes the client ask for the snapshot, and that is changed. */
function snapshotThat(change: (snapshot: Snapshot) => unknown): Manner {
	const hole = (page: FeedPage) => ({ ...page, entries: [] });
	return feedThat(hole, async (passing: Passing) => {
		if (passing.path !== '/v1/snapshot') return passing.pass();
		const { text } = await passing.ask();
		passing.response.writeHead(200, { 'content-type': 'application/json' });
		passing.response.end(JSON.stringify(change(JSON.parse(text) as Snapshot)));
	});
}

function older<T extends { epoch: number }>(cursor: T): T {
	return { ...cursor, epoch: 1 };
}

describe('a captive portal', () => {
	it('that answers with a page to everything is not the venue, with a key of its own', async () => {
		const before = between.connections();
		const told = () => between.connections() > before + 3;
		await expectDisbelief({ manner: portal, problem: 'offline', told, tls: stranger });
	});

	it('nor with the key that devices know', async () => {
		await expectDisbelief({ manner: portal, problem: 'captive_portal' });
	});

	it('nor with a redirect, an error page, or JSON of its own', async () => {
		const answer = (status: number, headers: Record<string, string>, body = ''): Manner => {
			return ({ response }) => void response.writeHead(status, headers).end(body);
		};
		const redirect = answer(302, { location: 'http://portal.example/' });
		await expectDisbelief({ manner: redirect, problem: 'captive_portal' });
		const error = answer(502, { 'content-type': 'text/html' }, 'Bad Gateway');
		await expectDisbelief({ manner: error, problem: 'captive_portal' });
		const json = answer(200, { 'content-type': 'application/json' }, '{"login":"/"}');
		await expectDisbelief({ manner: json, problem: 'bad_answer' });
	});
});

/** Lies about the time; whoever comes for anything else is cut off, and has to ask for the time first. */
function timeThat(answer: (passing: Passing) => void | Promise<void>): Manner {
	return (passing) => (passing.path === '/v1/time' ? answer(passing) : void passing.response.destroy());
}

/** What the client makes of the answer to a claim; an answer that does not come in time is asked for anew. */
async function claimUnder(manner: Manner): Promise<ClaimResult> {
	for (let idx = 9_000_000; ; idx++) {
		between.behave(manner);
		const result = await follower.client.claimer.claim(claimOf(idx));
		if (result.kind !== 'out_of_reach') return result;
		between.beHonest();
		await until('the authority', () => follower.client.claimer.authority() === 'reachable');
	}
}

describe('a server that has the venue’s TLS key and lies', () => {
	it('about the time, with an answer that it has heard before', async () => {
		let heard = '';
		between.behave(
			timeThat(async ({ ask, response }) => {
				heard = (await ask()).text;
				response.destroy();
			}),
		);
		await until('an answer to repeat', () => heard !== '');
		const manner = timeThat(({ response }) => {
			response.writeHead(200, { 'content-type': 'application/json' }).end(heard);
		});
		await expectDisbelief({ manner, problem: 'bad_answer' });
	});

	it('about the epoch: an older one is not followed, and its grants count for nothing', async () => {
		const claims: Manner = async (passing) => {
			if (passing.path !== '/v1/claims' && passing.path !== '/v1/claims/open') return passing.pass();
			const { status, type, text } = await passing.ask();
			passing.response.writeHead(status, { 'content-type': type }).end(text.replace(/"epoch":\d+/, '"epoch":1'));
		};
		const manner = feedThat(({ next }) => ({ entries: [], next: older(next) }), claims);
		expect(await claimUnder(manner)).toEqual({ kind: 'no_authority', why: 'older_epoch' });
		await expectDisbelief({ manner, problem: 'disbelieved' });
	});

	it('about how far the venue is', async () => {
		const less = ({ next }: FeedPage) => ({ entries: [], next: { ...next, control: 1 } });
		await expectDisbelief({ manner: feedThat(less), problem: 'disbelieved' });
	});

	it('about how far the venue is, in a snapshot', async () => {
		const shorter = snapshotThat((whole) => ({ ...whole, cursor: { ...whole.cursor, control: 1 } }));
		await expectDisbelief({ manner: shorter, problem: 'disbelieved' });
		const past = snapshotThat((whole) => ({ ...whole, cursor: older(whole.cursor) }));
		await expectDisbelief({ manner: past, problem: 'disbelieved' });
	});

	it('by a snapshot that is damaged', async () => {
		const damaged = (change: (lst: string) => string) =>
			snapshotThat((whole) => ({
				...whole,
				events: whole.events.map((each) => ({ ...each, revoked: { ...each.revoked, lst: change(each.revoked.lst) } })),
			}));
		const changed = damaged((lst) => `${lst.slice(0, -6)}AAAAAA`);
		await expectDisbelief({ manner: changed, problem: 'bad_answer' });
		await expectDisbelief({ manner: damaged(() => ''), problem: 'bad_answer' });
		await expectDisbelief({ manner: snapshotThat((whole) => ({ ...whole, events: 'none' })), problem: 'bad_answer' });
	});

	it('by leaving something out: a hole is never stepped over', async () => {
		between.behave(feedThat((page) => ({ ...page, entries: page.entries.slice(1) })));
		const hidden = await refund();
		await until('the refund, by the snapshot', () => follower.isRevoked(hidden));
	});

	it('by an answer without end', async () => {
		let sent = 0;
		const chunk = Buffer.alloc(1024 * 1024, ' ');
		const manner = timeThat(async ({ response }) => {
			const gone = once(response, 'close');
			response.writeHead(200, { 'content-type': 'application/json' });
			while (!response.destroyed) {
				sent += chunk.length;
				if (!response.write(chunk)) await Promise.race([once(response, 'drain'), gone]);
			}
		});
		await expectDisbelief({ manner, problem: 'offline', told: () => sent > 2 * httpsDefaults.bytesMax });
	});

	it('by a stream that goes silent after it began', async () => {
		let streams = 0;
		between.behave(async ({ path, request, response, pass }) => {
			const { cursor } = await follower.status();
			if (path !== '/v1/feed' || request.headers.accept !== 'text/event-stream' || !cursor) return pass();
			// One true page, as the server would give it, and then nothing: no event, no heartbeat, no end.
			const page = JSON.stringify({ entries: [], next: cursor });
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.write(`id: ${formatCursor(cursor)}\nevent: page\ndata: ${page}\n\n`);
			streams += 1;
		});
		await until('a stream', () => streams > 0);
		const startedMs = performance.now();
		const news = await refund();
		await until('the refund, after the silence was noticed', () => follower.isRevoked(news));
		// It was the silence that told, and not another way.
		expect(performance.now() - startedMs).toBeGreaterThan(streamSilenceMs / pace / 2);
	});
});

describe('an older key manifest', () => {
	it('is refused, whoever offers it, and the rest of the snapshot counts', async () => {
		let first = '';
		between.behave(
			snapshotThat((whole) => {
				first ||= whole.keys ?? '';
				return whole;
			}),
		);
		await refund();
		await until('the manifest of before', () => first !== '');
		await venue.done('keys', 'rotate', '--dir', join(venue.data, 'keys'));
		await venue.end('SIGTERM');
		await venue.start();
		between.beHonest();
		await until('the newer keys', () => follower.keys.keyset().version === 2);

		between.behave(snapshotThat((whole) => ({ ...whole, keys: first })));
		const news = await refund();
		await until('the refund of the same snapshot', () => follower.isRevoked(news));
		expect(follower.keys.keyset().version).toBe(2);
		expect(follower.keys.problem()).toMatch(/older than 2/);

		// In the feed too: the refund's place is taken by the manifest, and the refund comes in the place after it.
		const keys = { kind: 'keys', manifest: first } as const;
		let offered = 0;
		between.behave(
			feedThat((page) => {
				const entries = page.entries.flatMap((entry): FeedPage['entries'] => {
					if (entry.log !== 'control') return [entry];
					offered += 1;
					return [{ ...entry, change: keys }];
				});
				return { ...page, entries };
			}),
		);
		await refund();
		await until('the older manifest in the feed', () => offered > 0);
		await until('being online', isOnline);
		expect(follower.keys.keyset().version).toBe(2);
	});
});
