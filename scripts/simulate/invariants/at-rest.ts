import type { Allowance } from '../../../gate-agent/core/redemption.ts';
import { bitPlace, isBitSet } from '../../../gate-agent/core/sparse-pages.ts';
import { ticketId } from '../../../gate-agent/core/ticket.ts';
import { evt, needsAuthority, type WorldTicket } from '../world/tickets.ts';
import type { World } from '../world/world.ts';
import { type Seat, seatsOf } from './evidence.ts';

interface RightRow {
	readonly idx: number;
	readonly use: number;
	readonly used: number;
	readonly held: number;
	readonly taken: number;
}

interface CaseRow {
	readonly case_id: string;
	readonly kind: string;
	readonly idx: number | null;
	readonly device: string | null;
	readonly over: number;
}

/** What the authority's disk says at the end. */
interface Books {
	readonly rights: ReadonlyMap<number, RightRow>;
	readonly cases: readonly CaseRow[];
	isRevoked(idx: number): boolean;
}

/** Judges a world that has come to rest. */
export async function judgeAtRest(world: World): Promise<void> {
	const seats = seatsOf(world);
	const books = readBooks(world);
	judgeAuthority(world);
	judgeHome(world);
	for (const seat of seats) judgeSeat(world, seat);
	const byTicket = Map.groupBy(seats, ({ ticket }) => ticket.idx);
	for (const [idx, list] of byTicket) judgeCases(world, books, { idx, seats: list });
	judgeDeviceCases(world, books);
	await judgeLists(world, books);
}

function readBooks({ venue }: World): Books {
	const { disk } = venue.current();
	const rights = disk.read<RightRow>('SELECT idx, use, used, held, taken FROM rights');
	const pages = new Map(
		disk
			.read<{ page: number; bits: Uint8Array }>('SELECT page, bits FROM revoked_pages')
			.map(({ page, bits }) => [page, bits]),
	);
	return {
		rights: new Map(rights.map((right) => [right.idx, right])),
		cases: disk.read<CaseRow>('SELECT case_id, kind, idx, device, over FROM cases'),
		isRevoked: (idx) => isBitSet(pages.get(bitPlace(idx).page), idx),
	};
}

/**
 * I2: on the word of one authority nobody enters more often than the ticket says. Seen from outside: a class that is
 * admitted with that word alone, at devices that had heard of the same epoch. Who went through after the lane had given
 * the use back is not the authority's doing.
 */
function judgeAuthority({ truth, tickets, watch }: World): void {
	for (const ticket of tickets.filter(({ cls, flaw }) => flaw === undefined && needsAuthority(cls))) {
		const passages = truth.visits
			.filter((visit) => visit.ticket.idx === ticket.idx)
			.flatMap((visit) => visit.passages.filter(({ late }) => !late));
		for (const [epoch, list] of Map.groupBy(passages, (passage) => passage.epoch)) {
			if (list.length <= ticket.use) continue;
			watch.found('I2', `${list.length} went in with ${ticket.name} (${ticket.use}) on the word of epoch ${epoch}`);
		}
	}
}

/** I3: a ticket with a home opens that gate as often as it says, whatever the network does. */
function judgeHome({ truth, tickets, places, watch }: World): void {
	for (const ticket of tickets.filter(({ home }) => home !== undefined)) {
		const place = places.find(({ gate }) => gate.name === ticket.home);
		if (place === undefined || place.diskFaults.lost + place.diskFaults.old > 0) continue;
		const passages = truth.visits
			.filter((visit) => visit.ticket.idx === ticket.idx)
			.flatMap((visit) => visit.passages.filter(({ late }) => !late));
		if (passages.length > ticket.use) {
			watch.found('I3', `${passages.length} went in with ${ticket.name}, which its home may open for ${ticket.use}`);
		}
	}
}

/** I5: who went through is at the centre, and once. */
function judgeSeat({ watch }: World, seat: Seat): void {
	const { name, passages, unnoted, assumable, destroyed, counted, onBranches } = seat;
	if (counted + onBranches < passages - unnoted - destroyed) {
		const lost = destroyed > 0 ? `, ${destroyed} of them on lost disks` : '';
		watch.found('I5', `${passages} went through at ${name}${lost}, and the centre knows of ${counted + onBranches}`);
	}
	if (counted > passages + assumable) {
		watch.found('I5', `the centre counts ${counted} at ${name}, and ${passages} went through`);
	}
}

/** I6: every double entry is a case, and none is invented; so is every entry with a ticket that was refunded. */
function judgeCases(
	{ watch }: World,
	books: Books,
	{ idx, seats }: { readonly idx: number; readonly seats: readonly Seat[] },
): void {
	const sum = (of: (seat: Seat) => number) => seats.reduce((total, seat) => total + of(seat), 0);
	const [ticket] = seats.map((seat) => seat.ticket);
	if (ticket === undefined) return;
	const certain = sum(({ passages, unnoted, destroyed, onBranches }) =>
		Math.max(0, passages - unnoted - destroyed - onBranches),
	);
	const possible = sum(({ passages, assumable }) => passages + assumable);
	const found = (kind: string) => books.cases.find((each) => each.kind === kind && each.idx === idx);
	const over = found('double_entry')?.over ?? 0;
	if (over < certain - ticket.use) {
		watch.found('I6', `${certain} went in with ${ticket.name} (${ticket.use}), and the case says ${over} too many`);
	}
	if (over > Math.max(0, possible - ticket.use)) {
		watch.found(
			'I6',
			`a case says ${over} too many with ${ticket.name} (${ticket.use}), and at most ${possible} went in`,
		);
	}
	const refunded = found('refunded_after_entry') !== undefined;
	if (books.isRevoked(idx) && certain > 0 && !refunded) {
		watch.found('I6', `${certain} went in with ${ticket.name}, it is refunded, and there is no case`);
	}
	if (refunded && possible === 0)
		watch.found('I6', `a case says that ${ticket.name} let somebody in, and nobody went in`);
}

/** A device is accused of a copied key or an old disk only where its disk was in fact changed. */
function judgeDeviceCases({ watch, places }: World, { cases }: Books): void {
	for (const { kind, device } of cases) {
		if (device === null) continue;
		const place = places.find(({ gate }) => gate.device === device);
		const faults = place === undefined ? 0 : place.diskFaults.old + place.diskFaults.lost;
		if (faults === 0) watch.found('I6', `${place?.gate.name} has a case ${kind}, and its disk was never changed`);
	}
}

/** I8: every device says of every ticket what the authority says, and nothing is held any more. */
async function judgeLists(world: World, books: Books): Promise<void> {
	const { places, tickets, watch } = world;
	for (const right of books.rights.values()) {
		if (right.held !== 0)
			watch.found('I8', `the authority holds ${right.held} of ${ticketId(evt, right.idx)} for nobody`);
	}
	for (const { gate, diskFaults } of places) {
		const ledger = gate.ledger();
		if (ledger === undefined) continue;
		for (const ticket of tickets.filter(({ flaw }) => flaw === undefined)) {
			const history = await ledger.history(questionOf(ticket));
			const right = books.rights.get(ticket.idx) ?? { used: 0, held: 0 };
			const used = history.listedRedeemed ? Math.max(history.used, ticket.use) : history.used;
			const what = `${gate.name} says of ${ticket.name}`;
			if (history.revoked !== books.isRevoked(ticket.idx)) {
				watch.found('I8', `${what} that it is ${history.revoked ? '' : 'not '}revoked, the authority does not`);
			}
			// A gate never forgets what it granted itself, also where the authority never heard of it.
			const mayKnowMore = diskFaults.old > 0 || isForgotten(world, ticket);
			const agrees = mayKnowMore ? used >= right.used : used === right.used;
			if (!agrees) watch.found('I8', `${what} that ${used} are used, the authority says ${right.used}`);
			if (history.held !== right.held) {
				watch.found('I8', `${what} that ${history.held} are held, the authority says ${right.held}`);
			}
		}
	}
}

/** Whether rows about a ticket were destroyed by faults of the world. */
function isForgotten({ rows }: World, { idx }: WorldTicket): boolean {
	return [...rows.destroyed.keys()].some((key) => key.endsWith(`/${ticketId(evt, idx)}`));
}

function questionOf({ idx, cls, use }: WorldTicket) {
	return {
		// Nothing is redeemed with it; the brands stand for forms that these have.
		redemptionId: 'x'.repeat(22) as never,
		ticketId: ticketId(evt, idx),
		...{ evt, idx, cls, use, allowance: 'ticket' as Allowance, lane: 'lane-1', zone: 'main', atMs: 0 },
	};
}
