import { StilewardError } from '../../gate-agent/core/errors.ts';
import { issueTicket } from '../../gate-agent/core/issue.ts';
import type { TicketClaims } from '../../gate-agent/core/ticket-claims.ts';
import { nextIdx, rememberIssued } from '../../gate-agent/keys/issued-numbers.ts';
import { type Issuer, loadIssuer } from '../../gate-agent/keys/key-folder.ts';
import type { Terminal } from './output.ts';
import { qrCode } from './qr.ts';
import type { IssueOptions } from './ticket-options.ts';
import { assertDrawable, type IssuedTicket, openPrinter, prepareFolder, type TicketPrinter } from './ticket-print.ts';
import { localTime } from './times.ts';

/** Tickets signed at a time: enough to keep every core busy, few enough to keep memory flat. */
const batchSize = 64;

/** How often the progress line is written, in tickets. */
const progressEvery = 1000;

/** A series of tickets that differ in their number, and in their seat where it has `{n}`. */
interface Series {
	readonly options: IssueOptions;
	readonly issuer: Issuer;
	readonly firstIdx: number;
}

/**
 * Signs and prints tickets. Everything that can be wrong with them is found before their numbers are taken, and the
 * numbers are taken before the first ticket is printed, so that no number is ever given out twice.
 */
export async function issueTickets(options: IssueOptions, terminal: Terminal): Promise<void> {
	checkOptions(options);
	const issuer = await loadIssuer(options.keys);
	for (const warning of issuer.warnings) await terminal.err.write(`note: ${warning}\n`);
	const series = await takeNumbers(options, issuer, terminal);
	await noteZone(options, terminal);
	const printer = openPrinter(options.format, options.out, terminal);
	await printSeries(series, printer, progress(options, terminal));
	await printer.close();
}

/** Reserves the numbers of a series, once the tickets with the numbers that are free now proved to be right. */
async function takeNumbers(options: IssueOptions, issuer: Issuer, terminal: Terminal): Promise<Series> {
	const { keys, event, count, firstIdx } = options;
	const free = await nextIdx(keys, event);
	const planned = { options, issuer, firstIdx: firstIdx ?? free };
	await checkSeries(planned, terminal);
	if (planned.firstIdx < free) {
		await terminal.err.write(
			`note: numbers below ${free} may have been issued before; gates admit one ticket per number\n`,
		);
	}
	const series = {
		...planned,
		firstIdx: await rememberIssued(keys, { evt: event, count, ...(firstIdx !== undefined && { firstIdx }) }),
	};
	// Another process may have taken the planned numbers in between.
	if (series.firstIdx !== planned.firstIdx) await checkSeries(series, terminal);
	return series;
}

async function checkSeries(series: Series, { out }: Terminal): Promise<void> {
	const { options, firstIdx } = series;
	await issueOne(series, options.count - 1);
	const { code } = await issueOne(series, 0);
	if (options.format === 'qr') assertDrawable(qrCode(code), out);
	if (options.out !== undefined) {
		await prepareFolder(options.out, { evt: options.event, firstIdx, count: options.count, format: options.format });
	}
}

function checkOptions({ format, out, from, until, session }: IssueOptions): void {
	const toFiles = format === 'svg' || format === 'png';
	if (toFiles && out === undefined) throw usage(`--format ${format} writes one file per ticket: give --out DIR`);
	if (!toFiles && out !== undefined) throw usage('--out is for svg and png; redirect standard output instead');
	if (session === undefined && (from === undefined || until === undefined)) {
		throw usage('give --from and --until, or --session');
	}
	if (from && until && until.seconds <= from.seconds) {
		throw usage(`--until (${localTime(until.seconds)}) must lie after --from (${localTime(from.seconds)})`);
	}
}

async function issueOne({ options, issuer, firstIdx }: Series, at: number): Promise<IssuedTicket> {
	const claims = claimsOf(options, firstIdx + at, at + 1);
	const { evt, idx, cls, seat } = claims;
	const key = issuer.keyFor(evt, idx);
	const code = await issueTicket(claims, key, options.format === 'jws' ? 'jws' : 'compact');
	return { evt, idx, cls, kid: key.kid, code, ...(seat !== undefined && { seat }) };
}

function claimsOf(options: IssueOptions, idx: number, n: number): TicketClaims {
	const { from, until, session, zone, use, home, seat } = options;
	return {
		evt: options.event,
		idx,
		cls: options.class,
		...(from && { nbf: from.seconds }),
		...(until && { exp: until.seconds }),
		...(session !== undefined && { ses: session }),
		...(zone && { zon: zone }),
		...(use !== undefined && { use }),
		...(home !== undefined && { home }),
		...(seat !== undefined && { seat: seat.replaceAll('{n}', String(n)) }),
	};
}

async function printSeries(series: Series, printer: TicketPrinter, report: (done: number) => Promise<void>) {
	const { count } = series.options;
	for (let at = 0; at < count; at += batchSize) {
		const numbers = Array.from({ length: Math.min(batchSize, count - at) }, (_, i) => at + i);
		for (const ticket of await Promise.all(numbers.map((number) => issueOne(series, number)))) {
			await printer.print(ticket);
		}
		await report(at + numbers.length);
	}
}

/** A line that counts, on a terminal that does not show the tickets themselves. */
function progress({ count, out }: IssueOptions, terminal: Terminal): (done: number) => Promise<void> {
	const watched = terminal.err.isTerminal && (out !== undefined || !terminal.out.isTerminal);
	let reported = 0;
	return async (done) => {
		if (!watched || count < progressEvery || (done < reported + progressEvery && done < count)) return;
		reported = done;
		await terminal.err.write(`\r${done} of ${count} tickets${done === count ? '\n' : ''}`);
	};
}

async function noteZone({ from, until }: IssueOptions, terminal: Terminal): Promise<void> {
	if (!from?.local && !until?.local) return;
	const times = [from && `from ${localTime(from.seconds)}`, until && `until ${localTime(until.seconds)}`];
	await terminal.err.write(`note: valid ${times.filter(Boolean).join(' ')}, in this machine’s time zone\n`);
}

function usage(message: string): StilewardError {
	return new StilewardError('usage', message);
}
