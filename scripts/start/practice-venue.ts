import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from '../../gate-agent/ledger/lock.ts';
import type { Logger } from '../../gate-agent/logger.ts';
import type { OrderSample, PracticeAction, PracticeRows, PracticeState } from './page/practice-wire.ts';
import { type LaneId, laneIds, type ServerState, type Where } from './page/practice-wire.ts';
import type { OpenPracticeDevices } from './practice-devices.ts';
import type { Gates, PracticeGate } from './practice-gates.ts';
import { openHandheld, type PracticeHandheld } from './practice-handheld.ts';
import { changeTicket, openPracticeOffice, type PracticeOffice, readServer } from './practice-office.ts';
import { type ServerAccess, startTicketServer } from './practice-ticket-server.ts';
import { ensureEvent, newSamples, openSamples, type SampleCodes, type SampleTickets } from './sample-tickets.ts';

/** A whole venue without hardware: a ticket server, two gates with a lane each, and the cables between them. */
export interface PracticeVenue {
	/** How to reach the server as its administrator. */
	readonly server: ServerAccess;
	readonly handheld: Pick<PracticeHandheld, 'address' | 'staff'>;
	samples(): SampleCodes;
	state(): PracticeState;
	/** What the server knew when it was last asked. */
	serverState(): ServerState;
	/** Asks the server, and brings the figures of `state` up to date. */
	look(): Promise<void>;
	/** Journal rows of a lane after `seq`, oldest first. */
	rowsAfter(lane: LaneId, seq: number): Promise<PracticeRows>;
	/** Does what a person does. Rejects with a `StilewardError`, e.g. `device_lost` for a pulled plug. */
	act(action: PracticeAction): Promise<void>;
	close(): Promise<void>;
}

/** What a practice is started with. */
export interface VenueOptions {
	/** Folder of the server and of the gates; kept between runs, so that used tickets stay used. */
	readonly dir: string;
	readonly timeZone: string;
	/** What the gates log. */
	readonly log: Logger;
	/** Where the server logs; absent means nowhere. */
	readonly serverLogFile?: string;
	/** How long a lane waits for the authority; absent means `practiceClaimMs`. */
	readonly claimMs?: number;
	/** Port of the handheld's door; absent means a free one. */
	readonly doorPort?: number;
	/** The folder of the handheld's page, once that is built; absent where nobody builds it. */
	readonly builtHandheld?: Promise<string>;
	/** Hears that `state` may have changed. */
	readonly onChange: () => void;
	/** Other devices than this machine would choose by itself. */
	readonly openDevices?: OpenPracticeDevices;
}

/** What is open, in the order in which it was opened. */
export type Closers = (() => Promise<void> | void)[];

/** Starts the venue. Rejects with `ledger_busy` where another practice runs on the same folder. */
export async function startPracticeVenue(options: VenueOptions): Promise<PracticeVenue> {
	const closers: Closers = [];
	try {
		return await openVenue(options, closers);
	} catch (error) {
		await closeAll(closers);
		throw error;
	}
}

async function closeAll(closers: Closers): Promise<void> {
	for (const close of closers.splice(0).reverse()) await close();
}

async function openVenue(options: VenueOptions, closers: Closers): Promise<PracticeVenue> {
	const { dir, timeZone, serverLogFile: logFile } = options;
	await mkdir(dir, { recursive: true });
	// Before anything is written: a second server on the same data would be one too many.
	const lock = takeLock(dir);
	closers.push(() => lock.release());
	const starting = startTicketServer({ dir: join(dir, 'server'), ...(logFile !== undefined && { logFile }) });
	// The other core loads the gates meanwhile.
	const [{ openGates, stateOf }, server] = await Promise.all([import('./practice-gates.ts'), starting]);
	closers.push(server.close);
	const office = await openPracticeOffice(server);
	closers.push(office.close);
	await ensureEvent(office, timeZone);
	const gates = await openGates({ ...options, office, server, closers });
	// The lanes run by now.
	const handheld = await openHandheld({ ...options, office, server, closers });
	const source = () => ({ office, dir, nowMs: Date.now() });
	const context = { gates, handheld, office, samples: await openSamples(source()) };
	const renew = async (tickets: Promise<SampleTickets>) => {
		context.samples = await tickets;
		await gates['lane-1'].lane.useUp(context.samples.codes.used);
	};
	await renew(Promise.resolve(context.samples));
	let known = await readServer(office, context.samples);
	const look = async () => {
		await Promise.all([...laneIds.map((id) => gates[id].lane.count()), handheld.look()]);
		known = await readServer(office, context.samples);
	};
	await look();
	return {
		server,
		handheld,
		samples: () => context.samples.codes,
		state: () => ({
			...{ ...stateOf(gates), handheld: handheld.state(), ticketsVersion: context.samples.version, timeZone },
		}),
		serverState: () => known,
		look,
		rowsAfter: (lane, seq) => gates[lane].lane.rowsAfter(seq),
		act: async (action) => {
			if (action.kind === 'new_tickets') await renew(newSamples(source()));
			else await act(action, context);
			if (atOffice.has(action.kind)) await look();
			options.onChange();
		},
		close: () => closeAll(closers),
	};
}

/** What is done at the server: the page shows at once what came of it. */
const atOffice: ReadonlySet<PracticeAction['kind']> = new Set(['new_tickets', 'refund', 'restore', 'close_case']);

interface Context {
	readonly gates: Gates;
	readonly handheld: PracticeHandheld;
	readonly office: PracticeOffice;
	readonly samples: SampleTickets;
}

async function act(action: Exclude<PracticeAction, { kind: 'new_tickets' }>, context: Context): Promise<void> {
	const { gates, handheld, office, samples } = context;
	const at = (where: Where) => (where === 'both' ? laneIds : [where]).map((id) => gates[id]);
	switch (action.kind) {
		case 'present':
			return presentAt(at(action.at), samples.codes[action.sample].code, action.walk ?? false);
		case 'present_text':
			return presentAt(at(action.at), action.text, false);
		case 'link':
			for (const { link } of action.at === 'handheld' ? [handheld] : at(action.at)) link[action.up ? 'heal' : 'cut']();
			return;
		case 'refund':
		case 'restore':
			return changeTicket(office, { act: action.kind, order: samples.order, idx: idxOf(samples, action.sample) });
		case 'close_case': {
			const path = `/cases/${encodeURIComponent(action.id)}/close`;
			await office.call({ method: 'POST', path, body: { text: action.text } });
			return;
		}
		default:
			return gates[action.lane].lane.act(action);
	}
}

async function presentAt(gates: readonly PracticeGate[], code: string, walk: boolean): Promise<void> {
	await Promise.all(gates.map(({ lane }) => lane.present(code, walk)));
}

function idxOf({ codes }: SampleTickets, sample: OrderSample): number {
	return codes[sample].idx ?? 0;
}
