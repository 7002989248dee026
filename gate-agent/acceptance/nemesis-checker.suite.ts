import type { LedgerRow } from './gate.suite.ts';

/** A stretch of wall-clock time, milliseconds since 1970. */
export interface Stretch {
	readonly fromMs: number;
	readonly untilMs: number;
}

/** A coil of the lane as the board's terminal showed it, wall clock. */
export interface Edge {
	readonly atMs: number;
	readonly channel: number;
	readonly closed: boolean;
}

/** What was seen at the far end of a run, and what the ledger says of it. */
export interface History {
	/** Uses of each good ticket per allowance; a ticket that is not in it may open nothing. */
	readonly uses: ReadonlyMap<string, number>;
	readonly entryChannel: number;
	readonly pulseMs: number;
	/** How long a passage after the end of a grant still belongs to it. */
	readonly latePassageMs: number;
	readonly edges: readonly Edge[];
	/** Visitors who walked through an open turnstile, wall clock. */
	readonly passages: readonly number[];
	/** From the fire alarm to the end of the emergency: the gate is open by order then. */
	readonly holds: readonly Stretch[];
	/** When the agent was dead or frozen, or a board away, or the disk full: a passage may go unseen. */
	readonly faults: readonly Stretch[];
	/** Whether the lane has a passage sensor. */
	readonly sensor: boolean;
	/** Agents that ended by themselves. */
	readonly crashes: readonly string[];
	/** Redemptions that the gate's log called granted. */
	readonly acknowledged: readonly string[];
	/** The journal before the last restart, and at the end. */
	readonly rowsBefore: readonly LedgerRow[];
	readonly rows: readonly LedgerRow[];
	readonly endMs: number;
	/** The time that an edge may take from the agent to the test's clock. */
	readonly lagMs: number;
}

/** A broken promise: the invariant, and what broke it. */
export interface Violation {
	readonly rule: string;
	readonly what: string;
}

/** How long beyond its pulse a relay may stay on, whatever was killed. */
const stuckMs = 1_000;

/** Compares the far end with the ledger. An empty list is the only good answer. */
export function check(history: History): readonly Violation[] {
	return [
		...history.crashes.map((what) => ({ rule: 'crash', what })),
		...checkChain(history),
		...checkPermits(history),
		...checkSettlements(history),
		...checkOpenings(history),
		...checkPulses(history),
		...(history.sensor ? checkPassages(history) : []),
	];
}

/** All that happened, in its order, for whoever looks for the cause of a violation. */
export function timeline({ edges, rows, passages, faults, holds }: History): readonly string[] {
	const lines: (readonly [atMs: number, what: string])[] = [
		...edges.map(({ atMs, channel, closed }) => [atMs, `coil ${channel} ${closed ? 'on' : 'off'}`] as const),
		...rows.map((row) => [ms(row), `row ${JSON.stringify(row)}`] as const),
		...passages.map((atMs) => [atMs, 'a visitor walked through'] as const),
		...faults.flatMap(({ fromMs, untilMs }) => [[fromMs, 'a fault'] as const, [untilMs, 'the fault is over'] as const]),
		...holds.flatMap(({ fromMs, untilMs }) => [[fromMs, 'fire'] as const, [untilMs, 'the fire is over'] as const]),
	];
	const inTime = lines.filter(([atMs]) => Number.isFinite(atMs)).sort(([a], [b]) => a - b);
	return inTime.map(([atMs, what]) => `${new Date(atMs).toISOString()} ${what}`);
}

const ms = (row: LedgerRow) => Date.parse(row.at);
const text = (row: LedgerRow, field: string) => String(row[field]);
const count = (row: LedgerRow, field: string) => Number(row[field]);
const within = (atMs: number, stretches: readonly Stretch[], slackMs = 0) =>
	stretches.some(({ fromMs, untilMs }) => fromMs - slackMs <= atMs && atMs <= untilMs + slackMs);
const overlaps = (one: Stretch, stretches: readonly Stretch[]) =>
	stretches.some(({ fromMs, untilMs }) => fromMs <= one.untilMs && one.fromMs <= untilMs);

/** I10, I12: numbers without a gap in one epoch, time that never goes back, rows that never change, none lost. */
function checkChain({ rows, rowsBefore, acknowledged }: History): Violation[] {
	const found: Violation[] = [];
	let lastMs = 0;
	for (const [index, row] of rows.entries()) {
		if (row.seq !== index + 1) found.push({ rule: 'I10', what: `row ${index + 1} is numbered ${row.seq}` });
		if (ms(row) < lastMs) found.push({ rule: 'I12', what: `row ${row.seq} is older than the one before` });
		lastMs = ms(row);
	}
	if (new Set(rows.map((row) => row.epoch)).size > 1) found.push({ rule: 'I10', what: 'the epoch changed' });
	for (const [index, row] of rowsBefore.entries()) {
		if (JSON.stringify(row) !== JSON.stringify(rows[index])) found.push({ rule: 'I4', what: `row ${row.seq} changed` });
	}
	const granted = rows.filter(({ kind }) => kind === 'granted').map((row) => text(row, 'redemption'));
	for (const id of acknowledged) if (!granted.includes(id)) found.push({ rule: 'I4', what: `the grant ${id} is lost` });
	for (const [index, id] of granted.entries()) {
		if (granted.indexOf(id) !== index) found.push({ rule: 'I4', what: `the grant ${id} is there twice` });
	}
	return found;
}

/** I1, I2: every grant is for a good ticket and finds its uses free. */
function checkPermits({ rows, uses }: History): Violation[] {
	const found: Violation[] = [];
	const gone = new Map<string, number>();
	const grants = new Map<string, { key: string; reentry: boolean }>();
	const add = (key: string, change: number) => gone.set(key, (gone.get(key) ?? 0) + change);
	for (const row of rows) {
		if (row.kind === 'granted') {
			const use = uses.get(text(row, 'ticket'));
			const key = `${row.ticket} ${row.allowance}`;
			if (use === undefined) found.push({ rule: 'I1', what: `row ${row.seq} grants ${row.ticket}, which is not good` });
			grants.set(text(row, 'redemption'), { key, reentry: row.reentry === true });
			add(key, count(row, 'uses'));
			if ((gone.get(key) ?? 0) > (use ?? 0)) {
				found.push({ rule: 'I2', what: `row ${row.seq} grants ${key} beyond its ${use} uses` });
			}
		}
		const grant = row.kind === 'settled' ? grants.get(text(row, 'redemption')) : undefined;
		if (grant && !grant.reentry) add(grant.key, row.late === true ? count(row, 'taken') : -count(row, 'back'));
	}
	return found;
}

/** I4: each grant is settled exactly once, and once more at most, late, where a use had come back. */
function checkSettlements({ rows, rowsBefore }: History): Violation[] {
	const found: Violation[] = [];
	for (const grant of rows.filter(({ kind }) => kind === 'granted')) {
		const own = rows.filter((row) => row.kind === 'settled' && row.redemption === grant.redemption);
		const first = own.filter((row) => row.late !== true);
		const name = `the grant of row ${grant.seq}`;
		if (first.length !== 1) found.push({ rule: 'I4', what: `${name} is settled ${first.length} times` });
		if (own.length - first.length > 1) found.push({ rule: 'I4', what: `${name} is settled late more than once` });
		if (own.some((row) => row.seq < grant.seq)) found.push({ rule: 'I4', what: `${name} is settled before it` });
		const isQuiet = rowsBefore.some(({ seq }) => seq === grant.seq);
		if (isQuiet && !rowsBefore.some((row) => row.kind === 'settled' && row.redemption === grant.redemption)) {
			found.push({ rule: 'I4', what: `${name} was still open when all was quiet` });
		}
	}
	for (const row of rows.filter(({ kind }) => kind === 'settled')) {
		const known = rows.some((other) => other.kind === 'granted' && other.redemption === row.redemption);
		if (!known) found.push({ rule: 'I4', what: `row ${row.seq} settles a grant that is not there` });
	}
	return found;
}

/** A right to open that the journal holds. */
export interface Right {
	readonly row: LedgerRow;
	readonly fromMs: number;
	readonly untilMs: number;
	left: number;
}

/** What the journal permits: an opening per use, from its row on, until it is settled. */
export function rightsOf(rows: readonly LedgerRow[]): Right[] {
	return rows.flatMap((row) => {
		if (row.kind === 'exited') return [{ row, fromMs: ms(row), untilMs: ms(row) + 6_000, left: 1 }];
		if (row.kind === 'staff_entry') {
			return [{ row, fromMs: ms(row), untilMs: ms(row) + 60_000, left: count(row, 'count') }];
		}
		if (row.kind !== 'granted') return [];
		const end = rows.find((other) => other.kind === 'settled' && other.redemption === row.redemption);
		const untilMs = end ? ms(end) : Number.POSITIVE_INFINITY;
		return [{ row, fromMs: ms(row), untilMs, left: Math.max(1, count(row, 'uses')) }];
	});
}

/** Closings of the lane's coils that no emergency explains. */
function closings({ edges, holds, lagMs }: History): Edge[] {
	return edges.filter(({ closed, atMs }) => closed && !within(atMs, holds, lagMs));
}

/** I1: every opening has its durable row, written before it; I2: no row opens more often than it has uses. */
function checkOpenings(history: History): Violation[] {
	const found: Violation[] = [];
	const rights = rightsOf(history.rows);
	const opened = new Map<string, number>();
	for (const { atMs, channel } of closings(history)) {
		const at = `the opening at ${new Date(atMs).toISOString()}`;
		if (channel !== history.entryChannel) found.push({ rule: 'I1', what: `${at} was on channel ${channel}` });
		// The right that ends first is spent first, which explains as many openings as any other choice.
		const [right] = rights
			.filter(({ left, fromMs, untilMs }) => left > 0 && fromMs <= atMs && atMs <= untilMs + history.lagMs)
			.sort((a, b) => a.untilMs - b.untilMs);
		if (!right) {
			found.push({ rule: 'I1', what: `${at} has no row that permits it` });
			continue;
		}
		right.left -= 1;
		const ticket = String(right.row.ticket);
		opened.set(ticket, (opened.get(ticket) ?? 0) + 1);
	}
	for (const [ticket, times] of opened) {
		const own = history.rows.filter((row) => row.ticket === ticket);
		const days = new Set(own.filter(({ kind }) => kind === 'granted').map((row) => row.allowance)).size;
		const back = own.reduce((sum, row) => sum + (row.kind === 'settled' ? count(row, 'back') : 0), 0);
		const most = (history.uses.get(ticket) ?? 0) * days + back;
		if (times > most) found.push({ rule: 'I2', what: `${ticket} opened ${times} times, ${most} at most` });
	}
	return found;
}

/** A relay is never left on, whatever was killed. */
function checkPulses({ edges, holds, pulseMs, endMs }: History): Violation[] {
	const found: Violation[] = [];
	const closedAt = new Map<number, number>();
	const judge = (channel: number, untilMs: number) => {
		const fromMs = closedAt.get(channel);
		closedAt.delete(channel);
		if (fromMs === undefined || untilMs - fromMs <= pulseMs + stuckMs) return;
		const isHeld = overlaps({ fromMs, untilMs }, holds);
		if (!isHeld)
			found.push({ rule: 'relay', what: `channel ${channel} was on for ${Math.round(untilMs - fromMs)} ms` });
	};
	for (const { atMs, channel, closed } of edges) {
		if (closed) closedAt.set(channel, atMs);
		else judge(channel, atMs);
	}
	for (const channel of [...closedAt.keys()]) judge(channel, endMs);
	return found;
}

/** A visitor who passed at a healthy turnstile has used up the ticket, also when they passed late. */
function checkPassages({ rows, passages, faults, holds, latePassageMs, lagMs }: History): Violation[] {
	const found: Violation[] = [];
	const disturbed = [...faults, ...holds];
	const rights = rightsOf(rows).filter(({ row }) => row.kind === 'granted');
	for (const [index, { row, fromMs, untilMs }] of rights.entries()) {
		const own = rows.filter((other) => other.kind === 'settled' && other.redemption === row.redemption);
		const isTaken = own.some(({ outcome }) => outcome === 'taken' || outcome === 'taken_assumed');
		const lateUntilMs = untilMs + latePassageMs - lagMs;
		if (isTaken || overlaps({ fromMs: fromMs - lagMs, untilMs: lateUntilMs }, disturbed)) continue;
		// Whoever passes when the next one has a right already is taken for that one.
		const nextMs = (rights[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY) - lagMs;
		if (passages.some((atMs) => fromMs <= atMs && atMs <= Math.min(lateUntilMs, nextMs))) {
			found.push({ rule: 'I2', what: `a visitor passed on row ${row.seq}, which is settled as not_taken` });
		}
	}
	return found;
}
