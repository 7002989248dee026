import {
	type ConfigOffer,
	type ConfigQuery,
	type ConfigReport,
	type ConfigResponse,
	configReasonMax,
	heardText,
} from '../../sync/protocol/gate-config.ts';
import { StilewardError } from '../core/errors.ts';
import { type ConfigState, type ConfigStateStore, isWhole } from './config-state.ts';

/** What a pushed text comes to on this box. */
export type Judged<Config> =
	| { readonly kind: 'valid'; readonly config: Config }
	| { readonly kind: 'invalid'; readonly why: string };

/** What an agent is started with. */
export interface Setting<Config> {
	readonly config: Config;
	/** `own`: the gate's own file. */
	readonly state: ConfigReport['state'];
	/** The pushed version; absent where it is the gate's own file. */
	readonly offer?: ConfigOffer;
	/** What to go back to; absent where there is nothing that could work. */
	readonly before?: Setting<Config>;
}

/** What the follower needs. */
export interface FollowerDeps<Config> {
	/** The enrolled device. */
	readonly device: string;
	readonly store: ConfigStateStore;
	/** Judges a pushed text on top of the gate's own file. Never throws for a text. */
	readonly judge: (offer: ConfigOffer, gate: string) => Judged<Config>;
	/** The gate's own file alone. Throws `config_invalid`. */
	readonly own: () => Config;
	readonly log: (event: string, fields: Readonly<Record<string, unknown>>) => void;
}

/**
 * Follows the configurations that a server pushes to one gate, over the lives of its agents. Its law:
 *
 * 1. What a start runs has proven itself, or is the gate's own file; only a gate whose own file has no lanes starts
 *    with what came at its enrollment.
 * 2. A trial is durable before it begins: a start that finds one has it refused and runs what was before.
 * 3. A version that was refused is not tried again: only another number, or another text, is.
 * 4. No text of a server makes it throw.
 */
export interface ConfigFollower<Config> {
	/** What the first agent of this process runs. Throws `config_invalid` where nothing here is valid. */
	start(): Promise<Setting<Config>>;
	/** Takes a server's answer. Resolves once it is judged. */
	offer(answer: ConfigResponse): Promise<void>;
	/** The newest valid version that is neither run nor refused, if there is one. */
	pending(): ConfigOffer | undefined;
	/** Begins the trial of what is pending; undefined where it could not be made durable, or nothing is pending. */
	begin(now: Setting<Config>): Promise<Setting<Config> | undefined>;
	/** The trial has proven itself. False where that could not be made durable: it stays on trial. */
	confirm(trial: Setting<Config>): Promise<boolean>;
	/** The trial has failed: it is refused, and what was before is the word again. */
	refuse(trial: Setting<Config>, why: string): Promise<void>;
	/** The gate is told to end in the middle of a trial: the next start has what was before, and may try it again. */
	withdraw(trial: Setting<Config>): Promise<void>;
	/** What was heard of the server. */
	heard(): ConfigQuery;
	/** For the report; undefined where no server ever pushed anything. */
	report(): ConfigReport | undefined;
	/** Told of each change of the report and of each version that is pending. Gives what ends it. */
	watch(listener: () => void): () => void;
}

/** Opens the follower of one gate. */
export async function openConfigFollower<Config>(deps: FollowerDeps<Config>): Promise<ConfigFollower<Config>> {
	const follower = new Follower(deps);
	await follower.load();
	return follower;
}

class Follower<Config> implements ConfigFollower<Config> {
	readonly #deps: FollowerDeps<Config>;
	readonly #listeners = new Set<() => void>();
	#state: ConfigState | undefined;
	#running: Pick<Setting<Config>, 'state' | 'offer'> = { state: 'own' };
	#pending: { readonly offer: ConfigOffer; readonly config: Config } | undefined;

	constructor(deps: FollowerDeps<Config>) {
		this.#deps = deps;
	}

	async load(): Promise<void> {
		const loaded = await this.#deps.store.load();
		if (loaded === 'damaged') this.#deps.log('config_state_damaged', { problem: 'the gate runs its own file' });
		else if (loaded?.device === this.#deps.device) this.#state = loaded;
		const trial = this.#state?.trial;
		if (trial !== undefined) await this.#keepRefused(trial, 'the gate was stopped or lost its power during the trial');
	}

	async start(): Promise<Setting<Config>> {
		const before = this.#proven();
		const first = this.#enrolled();
		const setting = first === undefined ? before : await this.#first(first, before);
		if (setting !== undefined) return this.#run(setting);
		// Nothing is there: the gate's own file says what it lacks.
		return this.#run({ config: this.#deps.own(), state: 'own' });
	}

	async offer({ gate, newest }: ConfigResponse): Promise<void> {
		if (newest === undefined) return;
		if (this.#state === undefined || this.#state.gate !== gate) {
			const { device } = this.#deps;
			this.#state = { device, ...this.#state, gate };
		}
		if (isSame(newest, this.#running.offer)) {
			this.#pending = undefined;
			return;
		}
		if (isSame(newest, this.#state.refused) || isSame(newest, this.#pending?.offer)) return;
		this.#pending = undefined;
		const judged = this.#judge(newest, gate);
		if (judged.kind === 'invalid') {
			await this.#keepRefused(newest, judged.why);
			return;
		}
		this.#pending = { offer: newest, config: judged.config };
		this.#deps.log('config_offered', { version: newest.version });
		this.#tell();
	}

	pending(): ConfigOffer | undefined {
		return this.#pending?.offer;
	}

	async begin(now: Setting<Config>): Promise<Setting<Config> | undefined> {
		const next = this.#pending;
		if (next === undefined || this.#state === undefined) return undefined;
		if (!(await this.#save({ ...this.#state, trial: next.offer }))) return undefined;
		this.#pending = undefined;
		this.#deps.log('config_trial', { version: next.offer.version });
		const before = now.state === 'trial' && now.before ? now.before : now;
		return this.#run({ config: next.config, state: 'trial', offer: next.offer, before });
	}

	async confirm({ offer }: Setting<Config>): Promise<boolean> {
		if (offer === undefined || this.#state === undefined) return true;
		const { trial: _, enrolled: __, ...kept } = this.#state;
		if (!(await this.#save({ ...kept, confirmed: offer }))) return false;
		this.#running = { state: 'confirmed', offer };
		this.#deps.log('config_confirmed', { version: offer.version });
		this.#tell();
		return true;
	}

	async refuse({ offer, before }: Setting<Config>, why: string): Promise<void> {
		if (before !== undefined) this.#running = before;
		if (offer !== undefined) await this.#keepRefused(offer, why);
	}

	async withdraw({ before }: Setting<Config>): Promise<void> {
		if (this.#state === undefined || before === undefined) return;
		const { trial: _, ...kept } = this.#state;
		await this.#save(kept);
	}

	heard(): ConfigQuery {
		const { confirmed, refused } = this.#state ?? {};
		const newest = this.#pending?.offer ?? this.#running.offer ?? confirmed;
		const last = refused !== undefined && refused.version >= (newest?.version ?? 0) ? refused : newest;
		return last === undefined ? {} : { heard: heardText(last) };
	}

	report(): ConfigReport | undefined {
		if (this.#state === undefined) return undefined;
		const { state, offer } = this.#running;
		const { refused } = this.#state;
		return {
			state,
			...(offer && { version: offer.version }),
			...(refused && { refused: { version: refused.version, why: refused.why } }),
		};
	}

	watch(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	/** What has proven itself, or the gate's own file where that is whole. */
	#proven(): Setting<Config> | undefined {
		const { confirmed: offer, gate = '' } = this.#state ?? {};
		if (offer !== undefined) {
			const judged = this.#judge(offer, gate);
			if (judged.kind === 'valid') return { config: judged.config, state: 'confirmed', offer };
			// A program of another version may know other drivers.
			this.#deps.log('config_not_usable', { version: offer.version, problem: judged.why });
		}
		try {
			return { config: this.#deps.own(), state: 'own' };
		} catch (error) {
			if (!(error instanceof StilewardError) || this.#state?.enrolled === undefined) throw error;
			return undefined;
		}
	}

	#enrolled(): { readonly offer: ConfigOffer; readonly config: Config } | undefined {
		const { enrolled: offer, gate = '' } = this.#state ?? {};
		if (offer === undefined) return undefined;
		const judged = this.#judge(offer, gate);
		if (judged.kind === 'valid') return { offer, config: judged.config };
		this.#deps.log('config_not_usable', { version: offer.version, problem: judged.why });
		return undefined;
	}

	/** A box that was enrolled just now tries what its server had for it; without lanes of its own it has nothing else. */
	async #first(
		{ offer, config }: { readonly offer: ConfigOffer; readonly config: Config },
		before: Setting<Config> | undefined,
	): Promise<Setting<Config> | undefined> {
		if (before === undefined) return { config, state: 'trial', offer };
		if (this.#state === undefined || !(await this.#save({ ...this.#state, trial: offer }))) return before;
		return { config, state: 'trial', offer, before };
	}

	#run(setting: Setting<Config>): Setting<Config> {
		this.#running = setting;
		this.#tell();
		return setting;
	}

	#judge(offer: ConfigOffer, gate: string): Judged<Config> {
		if (!isWhole(offer)) return { kind: 'invalid', why: 'the text is not the one that was pushed' };
		return this.#deps.judge(offer, gate);
	}

	/** What it refuses it remembers, also where the disk is full: then until the next start. */
	async #keepRefused({ version, sha256 }: ConfigOffer, why: string): Promise<void> {
		if (this.#state === undefined) return;
		const { trial: _, enrolled, ...kept } = this.#state;
		const short = why.length > configReasonMax ? `${why.slice(0, configReasonMax - 1)}…` : why;
		this.#state = {
			...kept,
			...(enrolled && !isSame(enrolled, { version, sha256 }) && { enrolled }),
			refused: { version, sha256, why: short },
		};
		this.#deps.log('config_refused', { version, problem: short });
		await this.#save(this.#state);
		this.#tell();
	}

	async #save(state: ConfigState): Promise<boolean> {
		try {
			await this.#deps.store.save(state);
			this.#state = state;
			return true;
		} catch (error) {
			if (!(error instanceof StilewardError)) throw error;
			this.#deps.log('config_not_kept', { code: error.code, problem: error.message });
			return false;
		}
	}

	#tell(): void {
		for (const listener of this.#listeners) listener();
	}
}

type Named = Pick<ConfigOffer, 'version' | 'sha256'>;

function isSame(a: Named, b: Named | undefined): boolean {
	return b !== undefined && a.version === b.version && a.sha256 === b.sha256;
}
