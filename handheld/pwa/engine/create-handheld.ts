import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { Done, Handheld, HandheldState, StaffProblem, Verdict } from './handheld.ts';
import type { HandheldDeps, KeptDeps } from './handheld-deps.ts';
import { openClock, openWork, type Work } from './handheld-work.ts';
import { type Identity, loadIdentity } from './identity.ts';
import { joinVenue } from './join-venue.ts';
import type { KeyStore } from './key-store.ts';
import { findOrder, lanes, orderLane, override, staffEntry, ticketHistory, typed } from './staff-work.ts';

/**
 * Makes a handheld. Resolves once it knows how it stands: blocked, not enrolled, or with its ledger open. What is kept lies
 * in `deps.openKeys` and `deps.openLedger`; everything else is found again from them.
 */
export async function createHandheld(deps: HandheldDeps): Promise<Handheld> {
	const program = new Program(deps);
	await program.start();
	return program.handheld();
}

type Standing =
	| (HandheldState & { kind: 'starting' | 'blocked' | 'unenrolled' })
	| { readonly kind: 'open'; readonly work: Work };

/** The verdict where nobody works with the handheld. */
const locked: Verdict = {
	kind: 'refused',
	screen: { kind: 'refused', refusal: { reason: 'lane_closed', mode: 'locked' } },
};

class Program {
	readonly #deps: HandheldDeps;
	readonly #watchers = new Set<() => void>();
	#keys: KeyStore | undefined;
	#standing: Standing = { kind: 'starting' };

	constructor(deps: HandheldDeps) {
		this.#deps = deps;
	}

	async start(): Promise<void> {
		const { openKeys, prepareCrypto } = this.#deps;
		try {
			await prepareCrypto();
		} catch {
			return this.#become({ kind: 'blocked', why: 'no_crypto' });
		}
		try {
			this.#keys = await openKeys();
			const identity = await loadIdentity(this.#keys);
			if (identity === undefined) return this.#become({ kind: 'unenrolled' });
			await this.#open(identity, false);
		} catch (error) {
			// The browser gives no storage, or what it gave cannot be read.
			this.#deps.log('start_failed', { code: error instanceof StilewardError ? error.code : 'storage' });
			this.#become({ kind: 'blocked', why: 'no_storage' });
		}
	}

	handheld(): Handheld {
		return {
			state: () => (this.#standing.kind === 'open' ? this.#standing.work.state() : this.#standing),
			watch: (changed) => {
				this.#watchers.add(changed);
				return () => void this.#watchers.delete(changed);
			},
			takeOver: () => this.#takeOver(),
			enroll: (text, name) => this.#enroll(text, name),
			signIn: (name, pin) => this.#working((work) => work.shifts.signIn(name, pin)),
			signOut: async () => void (await this.#work()?.shifts.signOut()),
			setPost: async (post) => void (await this.#work()?.setPost(post)),
			...this.#visitors(),
			...this.#lookups(),
			close: () => this.#close(),
		};
	}

	/** What is done for the visitor who stands there. */
	#visitors(): Pick<Handheld, 'scan' | 'look' | 'admit' | 'override' | 'typed' | 'staffEntry' | 'undo'> {
		return {
			scan: (text) => this.#verdict((work, by) => work.lane.present({ kind: 'code', text }, by)),
			look: async (text) => {
				const work = this.#work();
				return work ? work.lane.look(text) : { verdict: 'refused', screen: locked.screen, left: 0 };
			},
			admit: (ask, people) => this.#verdict((work, by) => work.lane.admit(ask, people, by)),
			override: (ask, by) => this.#working((work) => override(work, ask, by)),
			typed: (ticket) => this.#signedIn((work, by) => typed(work, ticket, by)),
			staffEntry: (entry) => this.#signedIn((work, by) => staffEntry(work, entry, by)),
			undo: (redemptionId) =>
				this.#signedIn(async (work, by) =>
					(await work.lane.undo(redemptionId, by)) ? { kind: 'done', value: undefined } : notDone({ why: 'too_late' }),
				),
		};
	}

	#lookups(): Pick<Handheld, 'history' | 'findOrder' | 'lanes' | 'orderLane'> {
		return {
			history: async (ticket) => {
				const work = this.#work();
				return work ? ticketHistory(work, ticket) : { ...ticket, revoked: false, uses: [], complete: false };
			},
			findOrder: (number) => this.#working((work) => findOrder(work, number)),
			lanes: () => this.#working(lanes),
			orderLane: (lane) => this.#working((work) => orderLane(work, lane)),
		};
	}

	#work(): Work | undefined {
		return this.#standing.kind === 'open' ? this.#standing.work : undefined;
	}

	/** A ledger that fails is a problem to tell, not one to throw at a page. */
	async #working<T>(work: (work: Work) => Promise<Done<T>>): Promise<Done<T>> {
		const open = this.#work();
		if (open === undefined) return notDone({ why: 'sign_in_again' });
		try {
			return await work(open);
		} catch (error) {
			if (!(error instanceof StilewardError)) throw error;
			return notDone({ why: 'ledger', code: error.code });
		} finally {
			await open.follow();
		}
	}

	#signedIn<T>(work: (work: Work, by: string) => Promise<Done<T>>): Promise<Done<T>> {
		return this.#working(async (open) => {
			const shift = open.shifts.shift();
			return shift === undefined ? notDone({ why: 'sign_in_again' }) : work(open, shift.name);
		});
	}

	async #verdict(work: (work: Work, by: string) => Promise<Verdict>): Promise<Verdict> {
		const done = await this.#signedIn(async (open, by) => ({ kind: 'done', value: await work(open, by) }));
		if (done.kind === 'done') return done.value;
		if (done.problem.why !== 'ledger') return locked;
		return { kind: 'refused', screen: { kind: 'refused', refusal: { reason: 'ledger_error' } } };
	}

	async #enroll(text: string, name: string): Promise<Done> {
		if (this.#standing.kind !== 'unenrolled' || this.#keys === undefined) return notDone({ why: 'server_refused' });
		const joined = await joinVenue({ ...this.#deps, keys: this.#keys }, text, name);
		if (joined.kind === 'not_done') return joined;
		await this.#open(joined.value, false);
		return { kind: 'done', value: undefined };
	}

	async #takeOver(): Promise<void> {
		const standing = this.#standing;
		if (standing.kind !== 'blocked' || standing.why !== 'other_tab' || this.#keys === undefined) return;
		const identity = await loadIdentity(this.#keys);
		if (identity !== undefined) await this.#open(identity, true);
	}

	async #open(identity: Identity, takeOver: boolean): Promise<void> {
		try {
			const work = await this.#openWork(identity, takeOver);
			this.#become(work === undefined ? { kind: 'blocked', why: 'other_tab' } : { kind: 'open', work });
		} catch (error) {
			if (!(error instanceof StilewardError)) throw error;
			this.#deps.log('start_failed', { code: error.code });
			this.#become({ kind: 'blocked', why: error.code === 'ledger_corrupt' ? 'ledger_corrupt' : 'no_storage' });
		}
	}

	async #openWork(identity: Identity, takeOver: boolean): Promise<Work | undefined> {
		// The keys are open before anything is.
		const deps: KeptDeps = { ...this.#deps, keys: this.#keys as KeyStore };
		const changed = () => this.#changed();
		const answer = await deps.openLedger({
			...{ device: identity.device, takeOver, nowMs: () => this.#work()?.clock.read().nowMs ?? deps.systemMs() },
			onRows: () => this.#work()?.line.rowsWritten(),
		});
		if (answer.kind === 'other_tab') return undefined;
		const { ledger } = answer;
		const work = await openWork({ deps, identity, ledger, clock: await openClock(deps, ledger), onChange: changed });
		void answer.lost.then(() => this.#lose(work));
		return work;
	}

	/** Another tab has the ledger now. */
	#lose(work: Work): void {
		if (this.#work() !== work) return;
		this.#become({ kind: 'blocked', why: 'other_tab' });
		void work.close();
	}

	async #close(): Promise<void> {
		const work = this.#work();
		this.#become({ kind: 'starting' });
		await work?.close();
		await work?.ledger.close();
	}

	#become(standing: Standing): void {
		this.#standing = standing;
		this.#changed();
	}

	#changed(): void {
		for (const changed of this.#watchers) changed();
	}
}

function notDone(problem: StaffProblem): { readonly kind: 'not_done'; readonly problem: StaffProblem } {
	return { kind: 'not_done', problem };
}
