import {
	addDenial,
	type Denials,
	denialsDueInMs,
	noDenials,
	putBackDenials,
	takeAllDenials,
	takeDenials,
	type WaitingDenial,
} from '../../../gate-agent/core/denials.ts';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { Denial } from '../../../gate-agent/core/ledger.ts';

/** How long denials wait after a write of them failed. */
const denialRetryMs = 5_000;

/** Runs work once after some milliseconds; what it gives calls that off. */
export type Later = (work: () => void, inMs: number) => () => void;

/** What a denial writer needs. */
export interface DenialWriterOptions {
	/** The ledger's time: never before its newest row. */
	readonly nowMs: () => number;
	/** Makes rows durable. */
	readonly write: (rows: readonly WaitingDenial[]) => Promise<void>;
	readonly later: Later;
	readonly log: (event: 'denials_waiting' | 'denials_lost', fields: Readonly<Record<string, unknown>>) => void;
}

/** Denials on their way to the journal: nobody waits for them, and a full phone costs some of them and never an admission. */
export class DenialWriter {
	readonly #options: DenialWriterOptions;
	#denials: Denials = noDenials;
	#callOff: (() => void) | undefined;
	#flushing: Promise<void> = Promise.resolve();
	#closed = false;

	constructor(options: DenialWriterOptions) {
		this.#options = options;
	}

	/** Rows that wait to be written. */
	get waiting(): number {
		return this.#denials.waiting.size;
	}

	add(denial: Denial): void {
		if (this.#closed) return;
		this.#denials = addDenial(this.#denials, denial);
		this.#arm(denialsDueInMs(this.#denials, this.#options.nowMs()));
	}

	/** Makes all that wait durable, one flush after the other. Rejects where they could not be written; they wait on. */
	async flush(): Promise<void> {
		const flushed = this.#flushing.then(() => this.#write());
		this.#flushing = flushed.catch(() => undefined);
		await flushed;
	}

	/** Writes what waits, with the counts of minutes that are not over, and takes no more. */
	async close(): Promise<void> {
		this.#closed = true;
		this.#callOff?.();
		await this.#flushing;
		const { write, nowMs, log } = this.#options;
		try {
			await write(takeAllDenials(this.#denials, nowMs()));
		} catch (error) {
			log('denials_lost', { code: codeOf(error), count: this.waiting });
		}
	}

	async #write(): Promise<void> {
		const { rows, rest } = takeDenials(this.#denials, this.#options.nowMs());
		this.#denials = rest;
		try {
			await this.#options.write(rows);
		} catch (error) {
			this.#denials = putBackDenials(this.#denials, rows);
			throw error;
		}
	}

	#arm(inMs: number | undefined): void {
		if (this.#callOff !== undefined || inMs === undefined || this.#closed) return;
		this.#callOff = this.#options.later(() => void this.#due(), inMs);
	}

	async #due(): Promise<void> {
		let nextInMs: number | undefined;
		try {
			await this.flush();
			nextInMs = denialsDueInMs(this.#denials, this.#options.nowMs());
		} catch (error) {
			this.#options.log('denials_waiting', { code: codeOf(error), count: this.waiting });
			nextInMs = denialRetryMs;
		}
		this.#callOff = undefined;
		this.#arm(nextInMs);
	}
}

function codeOf(error: unknown): string {
	return error instanceof StilewardError ? error.code : 'bug';
}
