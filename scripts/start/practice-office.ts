import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { Case, RefundOutcome, TicketRecord } from '../../sync/server/store.ts';
import { connectOffice, type OfficeCall, type OfficeClient, signIn } from '../commands/office-client.ts';
import type { CaseState, EntryState, ServerState, TicketState } from './page/practice-wire.ts';
import { orderSamples } from './page/practice-wire.ts';
import { administrator, type ServerAccess } from './practice-ticket-server.ts';
import type { SampleTickets } from './sample-tickets.ts';

/** What the practice does as the administrator of its server, over the same calls as the command line. */
export interface PracticeOffice {
	/** Rejects with `server_refused`; signs in again where the session has ended. */
	call(call: OfficeCall): Promise<Readonly<Record<string, unknown>>>;
	/** The lines of an answer of JSON lines. */
	lines(call: OfficeCall): Promise<readonly Readonly<Record<string, unknown>>[]>;
	close(): void;
}

const clock = { nowMs: Date.now };

/** Signs in at the server. */
export async function openPracticeOffice(server: ServerAccess): Promise<PracticeOffice> {
	const { url, fingerprint, password } = server;
	const connect = async () =>
		connectOffice(await signIn({ url, fingerprint, name: administrator, password }, clock), clock);
	let client = await connect();
	const withSession = async <T>(work: (client: OfficeClient) => Promise<T>): Promise<T> => {
		try {
			return await work(client);
		} catch (error) {
			if (!(error instanceof StilewardError) || error.code !== 'session_missing') throw error;
			client.close();
			client = await connect();
			return work(client);
		}
	};
	return {
		call: (call) => withSession((office) => office.call(call)),
		lines: (call) =>
			withSession(async (office) => {
				const lines: Readonly<Record<string, unknown>>[] = [];
				for await (const line of office.lines(call)) lines.push(line);
				return lines;
			}),
		close: () => client.close(),
	};
}

/** Cases that the page is shown. */
const casesMax = 20;

/** What the server knows of the order and of cases. */
export async function readServer(office: PracticeOffice, tickets: SampleTickets): Promise<ServerState> {
	const { evt, order, codes } = tickets;
	const read = async (sample: TicketState['sample']): Promise<TicketState> => {
		const { idx = 0 } = codes[sample];
		const answer = await office.call({ method: 'GET', path: `/events/${evt}/tickets/${idx}` });
		// The server's answer has this form.
		const { revoked, rights, entries } = answer as unknown as TicketRecord;
		const held = rights.some((right) => right.held > 0);
		const used = rights.some((right) => right.used > 0);
		return { sample, idx, refunded: revoked, held, used, entries: entries.map(entryOf) };
	};
	const [cases, ...states] = await Promise.all([readCases(office), ...orderSamples.map(read)]);
	return { order, tickets: states, cases };
}

async function readCases(office: PracticeOffice): Promise<readonly CaseState[]> {
	// The server's answer has this form.
	const { cases } = (await office.call({ method: 'GET', path: '/cases' })) as unknown as { cases: readonly Case[] };
	return cases.slice(-casesMax).reverse().map(caseOf);
}

function caseOf({ id, kind, cause, idx, openedMs, redemptions, outcome }: Case): CaseState {
	return {
		...{ id, kind, cause, openedMs, entries: redemptions.map(entryOf) },
		...(idx !== undefined && { idx }),
		...(outcome && { outcome: { text: outcome.text, atMs: outcome.atMs } }),
	};
}

function entryOf({ lane, rung, atMs }: EntryState): EntryState {
	return { lane, rung, atMs };
}

/** Refunds one ticket of an order, or takes that back. Says `order_closed` where the ticket was used: nothing was done. */
export async function changeTicket(
	office: PracticeOffice,
	{ act, order, idx }: { readonly act: 'refund' | 'restore'; readonly order: string; readonly idx: number },
): Promise<void> {
	const answer = await office.call({ method: 'POST', path: `/orders/${order}/${act}`, body: { idx: [idx] } });
	if (act === 'restore') return;
	// The server's answer has this form.
	const { alreadyUsed } = answer as unknown as RefundOutcome;
	if (alreadyUsed.length > 0) throw new StilewardError('order_closed', 'the ticket was used and is not refunded');
}
