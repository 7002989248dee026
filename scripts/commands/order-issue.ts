import { StilewardError } from '../../gate-agent/core/errors.ts';
import { numericDateMax } from '../../gate-agent/core/ticket-claims.ts';
import type { RefundOutcome } from '../../sync/server/store.ts';
import { type OfficeCall, withOffice } from './office-client.ts';
import { jsonLine, type Terminal } from './output.ts';
import type { GivenTime } from './times.ts';

/** How often the progress line is written, in tickets. */
const progressEvery = 1_000;

/** The options of `order issue` and, with `into`, of `order exchange`. */
export interface IssueOrderOptions {
	readonly order: string;
	readonly into?: string;
	readonly event: string;
	readonly class: string;
	readonly count: number;
	readonly use?: number;
	readonly from?: GivenTime;
	readonly until?: GivenTime;
	readonly session?: string;
	readonly zone?: readonly string[];
	readonly home?: string;
	readonly seat?: string;
	readonly profile: string;
	readonly json?: true;
}

/** The options of `order refund` and `order restore`. */
export interface OrderOptions {
	readonly order: string;
	readonly idx?: readonly string[];
	readonly profile: string;
	readonly json?: true;
}

/** Issues the tickets of an order, or exchanges an order for another, and prints them as they come. */
export async function issueOrder(options: IssueOrderOptions, terminal: Terminal): Promise<void> {
	const call = callOf(options);
	if (options.from === undefined && options.until === undefined && options.session === undefined) {
		await terminal.err.write('note: neither --from, --until nor --session: the tickets are valid at any time\n');
	}
	await withOffice(options.profile, terminal, async (office) => {
		const report = progress(options.count, terminal);
		let printed = 0;
		for await (const { idx, ticket } of office.lines(call)) {
			// The first line is the order itself.
			if (typeof ticket !== 'string') continue;
			await terminal.out.write(options.json ? jsonLine({ evt: options.event, idx, ticket }) : `${ticket}\n`);
			printed += 1;
			await report(printed);
		}
	});
}

/** Refunds an order or takes a refund back. */
export async function changeOrder(act: 'refund' | 'restore', options: OrderOptions, terminal: Terminal): Promise<void> {
	const idx = options.idx?.map((text) => {
		if (!/^\d{1,10}$/.test(text)) throw new StilewardError('usage', '--idx is a ticket number');
		return Number(text);
	});
	const path = `/orders/${encodeURIComponent(options.order)}/${act}`;
	await withOffice(options.profile, terminal, async (office) => {
		const answer = await office.call({ method: 'POST', path, body: idx ? { idx } : {} });
		const done = act === 'refund' ? refundText(options.order, answer) : `${options.order} is valid again\n`;
		await terminal.out.write(options.json ? jsonLine({ order: options.order, ...answer }) : done);
	});
}

function callOf(options: IssueOrderOptions): OfficeCall {
	const { order, into, event, count, use, from, until, session, zone, home, seat } = options;
	// Without any of the three the same order asked again must still say the same.
	const always = from === undefined && until === undefined && session === undefined;
	const claims = {
		...(always && { nbf: 0, exp: numericDateMax }),
		...(from && { nbf: from.seconds }),
		...(until && { exp: until.seconds }),
		...(session !== undefined && { ses: session }),
		...(zone && { zon: zone }),
		...(home !== undefined && { home }),
		...(seat !== undefined && { seat }),
	};
	const request = { order: into ?? order, evt: event, cls: options.class, count, ...(use && { use }), claims };
	if (into === undefined) return { method: 'POST', path: '/orders', body: request };
	return { method: 'POST', path: `/orders/${encodeURIComponent(order)}/exchange`, body: { into: request } };
}

function refundText(order: string, answer: Readonly<Record<string, unknown>>): string {
	// The server's answer has this form.
	const { refunded, alreadyUsed, pending, unsynced } = answer as unknown as RefundOutcome;
	const used = alreadyUsed.length > 0 ? `; ${alreadyUsed.length} were used before` : '';
	const gates = unsynced.join(', ');
	const waits = pending ? `\nnot synced since: ${gates}. An entry there before that becomes a case` : '';
	return `${order}: ${refunded.length} tickets refunded${used}${waits}\n`;
}

/** A line that counts, on a terminal that does not show the tickets themselves. */
function progress(count: number, { out, err }: Terminal): (done: number) => Promise<void> {
	const watched = err.isTerminal && !out.isTerminal && count >= progressEvery;
	return async (done) => {
		if (!watched || (done % progressEvery !== 0 && done < count)) return;
		await err.write(`\r${done} of ${count} tickets${done === count ? '\n' : ''}`);
	};
}
