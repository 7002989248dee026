import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { JournalRow } from '../../gate-agent/core/redemption.ts';
import { type LedgerView, readLedger } from '../../gate-agent/ledger/read-ledger.ts';
import type { LedgerReport } from '../../gate-agent/ledger/verify-file.ts';
import { exitCodes } from './exit.ts';
import { listedRow, rowCells, rowHeader } from './ledger-rows.ts';
import { facts, jsonLine, paint, type Terminal, table } from './output.ts';

/** The options of every command about a ledger. */
export interface LedgerOptions {
	readonly data: string;
	readonly json?: true;
}

/** The options of `ledger list`. */
export interface LedgerListOptions extends LedgerOptions {
	readonly after: number;
	readonly limit?: number;
	readonly kind?: string;
}

/** Rows that are in memory at a time. */
const pageRows = 1000;

/** Prints the journal page by page: JSON lines, or tables whose columns fit their page. */
export async function listRows(options: LedgerListOptions, { out }: Terminal): Promise<void> {
	await withLedger(options.data, async (ledger) => {
		let header = true;
		for (const rows of pages(ledger, options)) {
			if (options.json) await out.write(rows.map((row) => jsonLine(listedRow(row))).join(''));
			else await out.write(table([...(header ? [rowHeader] : []), ...rows.map(rowCells)]));
			header = false;
		}
	});
}

function* pages(ledger: LedgerView, { after, limit = Infinity, kind }: LedgerListOptions) {
	let left = limit;
	for (let seq = after; left > 0; ) {
		const rows = ledger.rows(seq, pageRows);
		const last = rows.at(-1);
		if (last === undefined) return;
		const wanted: readonly JournalRow[] = rows.filter((row) => kind === undefined || row.kind === kind).slice(0, left);
		if (wanted.length > 0) yield wanted;
		left -= wanted.length;
		seq = last.seq;
	}
}

/** Checks the ledger and ends with `found` when something is wrong with it. */
export async function verifyRows(options: LedgerOptions, terminal: Terminal): Promise<void> {
	const report = await reportOf(options.data);
	if (!report.ok) terminal.finish(exitCodes.found);
	if (options.json) await terminal.out.write(jsonLine(jsonReport(report)));
	else await terminal.out.write(textReport(report, terminal));
}

/** A file that cannot even be opened as a ledger is what the check is for, and not a failure of the check. */
async function reportOf(dir: string): Promise<Partial<LedgerReport> & Pick<LedgerReport, 'ok' | 'problems'>> {
	try {
		return await withLedger(dir, async (ledger) => ledger.verify());
	} catch (error) {
		if (!(error instanceof StilewardError) || error.code !== 'ledger_corrupt') throw error;
		return { ok: false, problems: [error.message] };
	}
}

function jsonReport({ latestMs, ...report }: Awaited<ReturnType<typeof reportOf>>): object {
	return { ...report, latest: latestMs ? new Date(latestMs).toISOString() : null };
}

function textReport(report: Awaited<ReturnType<typeof reportOf>>, { out }: Terminal): string {
	const { ok, problems, epoch, rows, latestMs, head, openGrants, byKind } = report;
	const kinds = Object.entries(byKind ?? {}).map(([kind, count]) => `${kind} ${count}`);
	return facts(out, [
		['ledger', ok ? paint(out, 'green', 'intact') : paint(out, 'red', 'damaged')],
		...problems.map((problem) => ['problem', problem] as const),
		['rows', rows === undefined ? undefined : `${rows}${kinds.length > 0 ? ` (${kinds.join(', ')})` : ''}`],
		['newest', latestMs ? new Date(latestMs).toISOString() : undefined],
		['open grants', openGrants?.toString()],
		['epoch', epoch],
		['head', head],
	]);
}

/** Writes a copy of the ledger and says what is in it. */
export async function backUp(options: LedgerOptions & { readonly to: string }, { out }: Terminal): Promise<void> {
	await withLedger(options.data, async (ledger) => {
		ledger.backup(options.to);
		if (options.json) await out.write(jsonLine({ data: options.data, to: options.to, epoch: ledger.epoch }));
		else await out.write(`${options.to} is a verified copy of the ledger in ${options.data}\n`);
	});
}

async function withLedger<T>(dir: string, work: (ledger: LedgerView) => Promise<T>): Promise<T> {
	const ledger = readLedger(dir);
	try {
		return await work(ledger);
	} finally {
		ledger.close();
	}
}
