import { genesisHash, parseRow, rowHash } from '../../../gate-agent/core/journal.ts';
import type { PublicJwk } from '../../../gate-agent/core/jwk.ts';
import type { Zlib } from '../../../gate-agent/core/status-list.ts';
import { formatCursor, parseCursor } from '../../protocol/cursor.ts';
import { verifyDeviceAssertion } from '../../protocol/device-assertion.ts';
import type { AdmissionChange, ControlChange, FeedPage } from '../../protocol/feed.ts';
import { isRequest, type RequestOf, type RouteName, routes, streamHeartbeatMs } from '../../protocol/paths.ts';
import { type ProblemCode, problemContentType, problemOf } from '../../protocol/problem.ts';
import { hashText, openSegment } from '../../protocol/segment-jws.ts';
import { packNumbers } from '../../protocol/snapshot.ts';
import type { HttpCall, HttpReply, HttpStream } from '../transport.ts';
import { createFakeRights, type FakeRights } from './fake-rights.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What a venue in memory needs. */
export interface FakeVenueOptions {
	readonly clock: VirtualClock;
	readonly zlib: Zlib;
	readonly server: string;
	readonly venue: string;
	readonly startMs: number;
	readonly timeKey: PublicJwk;
	readonly signTime: (time: { nonce: string; server: string; nowMs: number }) => Promise<string>;
	readonly newNonce: () => string;
}

/** How a server may go wrong. May be changed at any time. */
export interface Lies {
	/** Answers that are given instead, by call. */
	instead: Partial<Record<RouteName, (call: HttpCall) => HttpReply | undefined>>;
	/** The most entries of one page of the feed. */
	pageMax: number;
	/** Leaves out every entry whose number this says, as a server with a hole in its log would. */
	isLeftOut: (n: number) => boolean;
}

interface Journal {
	epoch: string;
	readonly rows: string[];
	status: 'active' | 'quarantined';
}

/** A whole venue's server in memory: it keeps the protocol, checks every signature, and lies where it is told to. */
export class FakeVenue {
	epoch = 1;
	readonly lies: Lies = { instead: {}, pageMax: 500, isLeftOut: () => false };
	readonly control: ControlChange[] = [];
	readonly admissions: AdmissionChange[] = [];
	readonly journals = new Map<string, Journal>();
	/** Segments that contradict what is here, as their rows. */
	readonly branches: string[] = [];
	readonly devices = new Map<string, { readonly key: PublicJwk; disabled: boolean }>();
	readonly calls = new Map<string, number>();
	readonly rights: FakeRights;
	readonly #options: FakeVenueOptions;
	readonly #policies = new Map<string, unknown>();
	readonly #revoked = new Map<string, Set<number>>();
	readonly #nonces = new Set<string>();
	readonly #used = new Set<string>();
	#tokens = new Map<string, string>();
	#waiters = new Set<() => void>();

	constructor(options: FakeVenueOptions) {
		this.#options = options;
		this.rights = createFakeRights({
			isRevoked: (evt, idx) => this.#revoked.get(evt)?.has(idx) ?? false,
			nowMs: () => this.nowMs(),
		});
	}

	nowMs(): number {
		return Math.floor(this.#options.startMs + this.#options.clock.monoMs());
	}

	/** Writes to the control log, and wakes whoever waits for it. */
	tell(change: ControlChange): void {
		if (change.kind === 'policy') this.#policies.set(change.evt, change.policy);
		if (change.kind === 'revoked' || change.kind === 'restored') {
			const revoked = this.#revoked.get(change.evt) ?? new Set();
			for (const idx of change.idx) change.kind === 'revoked' ? revoked.add(idx) : revoked.delete(idx);
			this.#revoked.set(change.evt, revoked);
		}
		this.control.push(change);
		this.#wake();
	}

	/** Begins an epoch: the admissions log starts again, and every cursor of the old one is gone. */
	beginEpoch(): void {
		this.epoch += 1;
		this.admissions.length = 0;
		this.tell({ kind: 'authority', epoch: this.epoch, server: this.#options.server });
	}

	/** Forgets every token, as a restart does. */
	forgetTokens(): void {
		this.#tokens = new Map();
	}

	handle(call: HttpCall): Promise<HttpReply> {
		return this.#handle(call);
	}

	stream(call: HttpCall): HttpStream {
		const since = parseCursor(queryOf(call).get('since') ?? '');
		const isKnown = this.#deviceOf(call) !== undefined && since?.epoch === this.epoch;
		if (!isKnown || since === undefined)
			return { status: 409, contentType: problemContentType, chunks: this.#pages(call) };
		return { status: 200, contentType: 'text/event-stream', chunks: this.#pages(call) };
	}

	async *#pages(call: HttpCall): AsyncIterable<Uint8Array> {
		const encoder = new TextEncoder();
		let since = parseCursor(queryOf(call).get('since') ?? '');
		for (
			let isFirst = true;
			since !== undefined && since.epoch === this.epoch && !call.signal.aborted;
			isFirst = false
		) {
			const page = this.#page(since);
			if (isFirst || formatCursor(page.next) !== formatCursor(since)) {
				yield encoder.encode(`id: ${formatCursor(page.next)}\ndata: ${JSON.stringify(page)}\n\n`);
			} else yield encoder.encode(':\n');
			since = page.next;
			await this.#news(streamHeartbeatMs, since);
		}
	}

	async #handle(call: HttpCall): Promise<HttpReply> {
		const path = call.path.split('?', 1)[0];
		// The table's keys are its names.
		const name = (Object.keys(routes) as RouteName[]).find(
			(each) => routes[each].path === path && routes[each].method === call.method,
		);
		if (name === undefined) return refused('not_found');
		this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
		const instead = this.lies.instead[name]?.(call);
		if (instead !== undefined) return instead;
		const request = call.method === 'POST' ? call.body : Object.fromEntries(typed(queryOf(call)));
		if (!isRequest(name, request)) return refused('malformed');
		const device = this.#deviceOf(call);
		if (routes[name].auth === 'device') {
			if (device === undefined) return refused('token_invalid');
			if (this.devices.get(device)?.disabled !== false) return refused('device_disabled');
		}
		return this.#answer(name, request, device ?? '');
	}

	async #answer(name: RouteName, request: unknown, device: string): Promise<HttpReply> {
		const { clock, server, signTime, newNonce } = this.#options;
		switch (name) {
			case 'nonce': {
				const nonce = newNonce();
				this.#nonces.add(nonce);
				return ok({ nonce, server, nowMs: this.nowMs() });
			}
			case 'time':
				// The request was checked against the schema of its call.
				return ok({
					time: await clock.busy(signTime({ ...(request as RequestOf<'time'>), server, nowMs: this.nowMs() })),
				});
			case 'token':
				return clock.busy(this.#token((request as RequestOf<'token'>).assertion));
			case 'claims': {
				const { claims, epoch = 0 } = request as RequestOf<'claims'>;
				if (epoch > this.epoch) return refused('stale_authority');
				return ok({ epoch: this.epoch, answers: claims.map((claim) => this.rights.claim(device, claim)) });
			}
			case 'openClaims':
				return ok({ epoch: this.epoch, claims: this.rights.openClaims(device).slice(0, 1_000) });
			case 'segments':
				return clock.busy(this.#ingest(device, (request as RequestOf<'segments'>).segment));
			case 'feed':
				return this.#feed(request as RequestOf<'feed'>);
			case 'report': {
				const journal = this.journals.get(device);
				return ok({
					...(journal && {
						journal: { epoch: journal.epoch, through: journal.rows.length, hash: hashOf(journal) },
					}),
					status: journal?.status ?? 'active',
				});
			}
			case 'snapshot':
				return ok(await this.#snapshot());
			case 'enroll':
				return refused('code_invalid');
			default:
				return refused('no_staff_here');
		}
	}

	async #token(assertion: string): Promise<HttpReply> {
		const { server, venue, timeKey, newNonce } = this.#options;
		const result = await verifyDeviceAssertion(assertion, {
			server,
			nowMs: this.nowMs(),
			device: async (id) => {
				const known = this.devices.get(id);
				if (known === undefined) return { kind: 'unknown' };
				return known.disabled ? { kind: 'disabled' } : { kind: 'enrolled', venue, key: known.key };
			},
			useUp: async ({ nonce, jti }) => {
				if (this.#used.has(jti) || this.#used.has(nonce)) return 'replayed';
				this.#used.add(jti).add(nonce);
				return this.#nonces.delete(nonce) ? 'fresh' : 'unknown';
			},
		});
		if (result.kind === 'refused') return refused(result.code);
		const token = newNonce();
		this.#tokens.set(token, result.device);
		return ok({ access_token: token, token_type: 'Bearer', expires_in: 300, venue, timeKeys: [timeKey] });
	}

	async #ingest(device: string, jws: string): Promise<HttpReply> {
		const known = this.devices.get(device);
		if (known === undefined) return refused('device_unknown');
		const opened = await openSegment(jws, { device, key: known.key });
		if (opened.kind === 'refused') return refused(opened.code);
		const { epoch, from, rows } = opened.segment;
		let journal = this.journals.get(device);
		if (journal?.epoch !== epoch) journal = { epoch, rows: [], status: journal?.status ?? 'active' };
		this.journals.set(device, journal);
		const answer = () => ok({ acceptedThrough: journal.rows.length, conflicts: [], status: journal.status });
		if (from > journal.rows.length + 1) return answer();
		const known0 = rows.slice(0, journal.rows.length - from + 1);
		if (known0.some((row, i) => row !== journal.rows[from - 1 + i])) journal.status = 'quarantined';
		if (journal.status === 'quarantined') {
			this.branches.push(rows.join('\n'));
			return answer();
		}
		for (const row of rows.slice(known0.length)) {
			journal.rows.push(row);
			const change = this.rights.settle(device, parseRow(row));
			if (change === undefined) continue;
			this.admissions.push(change);
			this.#wake();
		}
		return answer();
	}

	async #feed({ since, waitMs = 0 }: RequestOf<'feed'>): Promise<HttpReply> {
		const cursor = parseCursor(since);
		if (cursor === undefined) return refused('malformed');
		if (cursor.epoch === this.epoch) await this.#news(waitMs, cursor);
		return cursor.epoch === this.epoch ? ok(this.#page(cursor)) : refused('cursor_gone');
	}

	/** Resolves once there is something after the cursor, or after so long. */
	async #news(waitMs: number, { control, admissions }: { control: number; admissions: number }): Promise<void> {
		const isNews = () => this.control.length !== control || this.admissions.length !== admissions;
		if (isNews() || waitMs === 0) return;
		const inner = new AbortController();
		const wake = () => inner.abort();
		this.#waiters.add(wake);
		await this.#options.clock.sleep(waitMs, inner.signal);
		this.#waiters.delete(wake);
	}

	#page(since: { control: number; admissions: number }): FeedPage {
		const { pageMax, isLeftOut } = this.lies;
		const control = this.control.slice(since.control, since.control + pageMax);
		const admissions = this.admissions.slice(since.admissions, since.admissions + pageMax);
		const entries: FeedPage['entries'] = [
			...control.map((change, i) => ({ log: 'control' as const, n: since.control + i + 1, change })),
			...admissions.map((change, i) => ({ log: 'admissions' as const, n: since.admissions + i + 1, change })),
		];
		const next = {
			epoch: this.epoch,
			control: Math.min(since.control, this.control.length) + control.length,
			admissions: Math.min(since.admissions, this.admissions.length) + admissions.length,
		};
		return { entries: entries.filter(({ n }) => !isLeftOut(n)), next };
	}

	async #snapshot(): Promise<unknown> {
		const { zlib } = this.#options;
		const events = [];
		for (const [evt, policy] of this.#policies) {
			const last = new Map(
				this.admissions.filter((each) => each.evt === evt).map((each) => [`${each.idx} ${each.allowance}`, each]),
			);
			const counts = [...last.values()].map(({ idx, allowance, use, used, held }) => ({
				allowance,
				rows: [[idx, use, used, held]],
			}));
			const gone = [...last.values()].filter(
				({ use, used, allowance }) => allowance === 'ticket' && use === 1 && used > 0,
			);
			const redeemed = await packNumbers(
				gone.map(({ idx }) => idx),
				zlib,
			);
			events.push({ evt, policy, redeemed, revoked: await packNumbers(this.#revoked.get(evt) ?? [], zlib), counts });
		}
		const cursor = { epoch: this.epoch, control: this.control.length, admissions: this.admissions.length };
		const journals = [...this.journals]
			.filter(([, { rows }]) => rows.length > 0)
			.map(([device, { epoch, rows }]) => ({ device, journal: epoch, through: rows.length }));
		return { cursor, events, devices: [], journals };
	}

	#deviceOf({ headers }: HttpCall): string | undefined {
		return this.#tokens.get((headers.authorization ?? '').replace(/^Bearer /, ''));
	}

	#wake(): void {
		for (const wake of this.#waiters) wake();
	}
}

function queryOf({ path }: HttpCall): Map<string, string> {
	const pairs = (path.split('?', 2)[1] ?? '').split('&').filter((each) => each !== '');
	return new Map(pairs.map((each) => [each.split('=', 1)[0] ?? '', each.slice(each.indexOf('=') + 1)]));
}

/** A query carries texts; the one number in it is made a number again. */
function typed(query: ReadonlyMap<string, string>): [string, string | number][] {
	return [...query].map(([name, value]) => [name, name === 'waitMs' ? Number(value) : value]);
}

function ok(body: unknown): HttpReply {
	return { status: 200, contentType: 'application/json', text: JSON.stringify(body) };
}

function refused(code: ProblemCode): HttpReply {
	const problem = problemOf(code);
	return { status: problem.status, contentType: problemContentType, text: JSON.stringify(problem) };
}

/** The chain hash of a journal's last row. */
function hashOf({ rows }: Journal): string {
	return hashText(rows.reduce((before, row) => rowHash(before, row), genesisHash));
}
