import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import { assert } from '../../../gate-agent/core/errors.ts';
import { laterMark } from './dialect.ts';

/** Statements that a connection keeps planned; texts vary only by how many venues and segments they name. */
const plansMax = 200;

/** Kysely's own words for a transaction. */
const begins = /^(begin|start transaction)\b/;
const rollback = 'rollback';

interface Statement {
	readonly text: string;
	readonly values: readonly unknown[];
}

/** What nobody has asked the database for yet. */
const nothing = { command: '', rowCount: 0, rows: [] } as const;

/**
 * The pool as Kysely needs it, with connections that wait for the database as seldom as they can (the protocol's
 * pipelining): with small batches, waking each other up costs both programs more than the statements. They parse and
 * plan a statement once and not at each use.
 */
export function pipelined(pool: pg.Pool): PostgresPool {
	const names = new Map<string, string>();
	const nameOf = (text: string) => {
		const known = names.get(text);
		if (known !== undefined || names.size >= plansMax) return known;
		const name = `s${names.size}`;
		names.set(text, name);
		return name;
	};
	return {
		end: () => pool.end(),
		connect: async () => {
			// Kysely calls nothing but `query` with a text, and `release`; it asks for no cursor here.
			return new Connection(await pool.connect(), nameOf) as unknown as PostgresPoolClient;
		},
	};
}

/**
 * Holds back the beginning of a transaction and the statements that give nothing back, and sends them with the next
 * one. They arrive in order, and a transaction's end fails where one of them has.
 */
class Connection {
	readonly #client: pg.PoolClient;
	readonly #nameOf: (text: string) => string | undefined;
	#held: Statement[] = [];

	constructor(client: pg.PoolClient, nameOf: (text: string) => string | undefined) {
		this.#client = client;
		this.#nameOf = nameOf;
	}

	async query(text: string, values: readonly unknown[]): Promise<unknown> {
		const begun = this.#held[0] === undefined || !begins.test(this.#held[0].text);
		if (begins.test(text)) return this.#hold({ text, values });
		// Kysely's builders have it at the end.
		if (text.startsWith(laterMark) || text.endsWith(laterMark)) {
			// Were it sent with the beginning and that failed, it would be a transaction of its own.
			if (!begun) await this.#sendAll(this.#held.splice(0));
			return this.#hold({ text, values });
		}
		const held = this.#held.splice(0);
		if (text === rollback) return begun ? this.#sendAll([{ text, values }]) : nothing;
		return this.#sendAll([...held, { text, values }]);
	}

	release(): void {
		const isAtRest = this.#held.length === 0;
		this.#held = [];
		this.#client.release(!isAtRest);
		assert(isAtRest, 'a transaction ends with a statement of its own');
	}

	#hold(statement: Statement): typeof nothing {
		this.#held.push(statement);
		return nothing;
	}

	/** Sends statements at once, waits for all of them, and gives the answer of the last one or the first failure. */
	async #sendAll(statements: readonly Statement[]): Promise<unknown> {
		const stream = streamOf(this.#client);
		stream?.cork();
		const sent = statements.map(({ text, values }) => {
			return this.#client.query({ name: this.#nameOf(text), text, values: [...values] });
		});
		stream?.uncork();
		const answers = await Promise.allSettled(sent);
		for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
		const last = answers.at(-1);
		return last?.status === 'fulfilled' ? last.value : nothing;
	}
}

/** The socket of a connection, which pg does not declare: statements that leave together need one packet. */
function streamOf(client: pg.PoolClient): { cork(): void; uncork(): void } | undefined {
	const { connection } = client as unknown as { connection?: { stream?: { cork(): void; uncork(): void } } };
	return connection?.stream;
}
