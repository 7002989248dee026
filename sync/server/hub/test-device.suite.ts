import type { JWK } from 'jose';
import type { HttpsRequest } from '../../node/https-client.ts';
import type { Claim, ClaimAnswer } from '../../protocol/claims.ts';
import { type Cursor, formatCursor } from '../../protocol/cursor.ts';
import type { FeedEntry, FeedPage } from '../../protocol/feed.ts';
import { signSegment } from '../../protocol/segment-jws.ts';
import { askToken } from '../running-server.suite.ts';
import type { RunningServer } from '../start.ts';
import { type DeviceJournal, evt, firstEpoch, journalOf, newRedemption } from '../testing/device-journal.ts';

/** A server that can be stopped and started again at its address. */
export interface Restartable<Server extends RunningServer> {
	readonly dir: string;
	running(): Server;
	start(): Promise<void>;
	stop(): Promise<void>;
}

/** An answer as JSON. */
export interface Answer {
	readonly status: number;
	// Tests look at members that they expect.
	// biome-ignore lint/suspicious/noExplicitAny: the form of the answer is what the test asserts
	readonly body: any;
}

/** Asks a server, wherever it is now. */
export type Send = (at: Restartable<RunningServer>, request: HttpsRequest) => Promise<Answer>;

/** Who a device is. */
export interface Identity {
	readonly id: string;
	readonly key: JWK;
	readonly nowMs: () => number;
}

/** A device with a real key that keeps a journal and speaks to one server at a time. */
export class TestDevice {
	readonly id: string;
	readonly journal: DeviceJournal;
	readonly #send: Send;
	readonly #identity: Identity;
	#at: Restartable<RunningServer>;
	#token: string | undefined;
	#through = 0;
	#cursor: Cursor | undefined;

	constructor(send: Send, at: Restartable<RunningServer>, identity: Identity) {
		this.id = identity.id;
		this.journal = journalOf('harbor', identity.id);
		this.#send = send;
		this.#at = at;
		this.#identity = identity;
	}

	/** From now on it speaks to another server, with the same key. */
	moveTo(at: Restartable<RunningServer>): void {
		this.#at = at;
		this.#token = undefined;
	}

	/** Forgets how far its journal was accepted, as for a server of another epoch. */
	restart(): void {
		this.#through = 0;
	}

	claim(...claims: readonly (Partial<Claim> & { readonly idx: number })[]): Promise<Answer> {
		const rest = { journal: firstEpoch, evt, allowance: 'ticket', cls: 'adult', use: 1, uses: 1, lane: 'lane-1' };
		const atMs = this.#identity.nowMs();
		return this.call('POST', '/v1/claims', {
			claims: claims.map((each) => ({ redemption: newRedemption(), ...rest, atMs, ...each })),
			...(this.#cursor && { cursor: this.#cursor }),
		});
	}

	/** Claims a ticket and, where it is granted, writes the rows of the admission; else why it is not. */
	async admit(idx: number, over: Partial<Claim> = {}): Promise<string> {
		const redemption = newRedemption();
		const { body } = await this.claim({ redemption, idx, ...over });
		const answer: ClaimAnswer | undefined = body.answers?.[0];
		if (answer?.result !== 'granted') return answer?.reason ?? body.code;
		this.journal.admit({ idx, redemption, rung: 'authority', taken: 1, ...(over.use && { use: over.use }) });
		return 'granted';
	}

	/** Pushes all rows that the server does not have. */
	async push(): Promise<Answer> {
		for (;;) {
			const { length } = this.journal.rows;
			if (this.#through >= length) return { status: 200, body: { acceptedThrough: this.#through } };
			const answer = await this.#pushRows(this.journal, this.#through + 1, Math.min(length, this.#through + 500));
			if (answer.status !== 200 || answer.body.status === 'quarantined') return answer;
			this.#through = answer.body.acceptedThrough;
		}
	}

	/** Pushes the whole of another journal with this device's key, as a copied disk does. */
	pushCopy(copied: DeviceJournal): Promise<Answer> {
		return this.#pushRows(copied, 1, copied.rows.length);
	}

	openClaims(): Promise<Answer> {
		return this.call('GET', '/v1/claims/open');
	}

	/** Loads the snapshot and reads on; from then on it shows its cursor with each claim, as gates do. */
	async follow(): Promise<Cursor> {
		const { status, body } = await this.call('GET', '/v1/snapshot');
		if (status !== 200) throw new Error(JSON.stringify(body));
		this.#cursor = (await this.#readOn(body.cursor)).next;
		return this.#cursor;
	}

	/** Entries of the feed after a cursor. */
	async feed(since: Cursor): Promise<readonly FeedEntry[]> {
		return (await this.#readOn(since)).entries;
	}

	async call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
		for (let attempt = 1; ; attempt++) {
			this.#token ??= await this.#fetchToken();
			const headers = { authorization: `Bearer ${this.#token}` };
			const answer = await this.#send(this.#at, { method, path, headers, ...(body !== undefined && { body }) });
			if (answer.body?.code !== 'token_invalid' || attempt === 2) return answer;
			this.#token = undefined;
		}
	}

	async #readOn(since: Cursor): Promise<FeedPage> {
		const entries: FeedEntry[] = [];
		for (let at = since; ; ) {
			const { status, body } = await this.call('GET', `/v1/feed?since=${formatCursor(at)}`);
			if (status !== 200) throw new Error(JSON.stringify(body));
			const page: FeedPage = body;
			at = page.next;
			if (page.entries.length === 0) return { entries, next: at };
			entries.push(...page.entries);
		}
	}

	async #pushRows(journal: DeviceJournal, from: number, to: number): Promise<Answer> {
		const { deviceEpoch: epoch, prevHash, rows } = journal.segment(from, to);
		const unsigned = { device: this.id, epoch, from, to, prevHash, rows: [...rows] };
		return this.call('POST', '/v1/segments', { segment: await signSegment(unsigned, this.#identity.key) });
	}

	async #fetchToken(): Promise<string> {
		const { body } = await askToken((request) => this.#send(this.#at, request), this.#identity);
		const { access_token } = body as { access_token?: string };
		if (access_token === undefined) throw new Error(JSON.stringify(body));
		return access_token;
	}
}
