import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatTicketNumber } from '../../gate-agent/core/check-digit.ts';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { type TicketId, ticketId } from '../../gate-agent/core/ticket.ts';
import { jsonLine, type Output, paint, type Terminal } from './output.ts';
import { drawPng, drawSvg, drawTerminal, type QrCode, qrCode, terminalColumns, ticketCaption } from './qr.ts';
import type { TicketFormat } from './ticket-options.ts';

/** A signed ticket on its way to paper or screen. */
export interface IssuedTicket {
	readonly evt: string;
	readonly idx: number;
	readonly cls: string;
	readonly seat?: string;
	readonly kid: string;
	/** The ticket's text, as it goes into the QR code. */
	readonly code: string;
}

/** Prints issued tickets one after the other. `close` hands over what is still held back. */
export interface TicketPrinter {
	print(ticket: IssuedTicket): Promise<void>;
	close(): Promise<void>;
}

/** Text is handed over in pieces of about this many characters: a call per ticket would be slower than signing it. */
const pieceChars = 64 * 1024;

/** The printer of a format. `dir` is the folder of `svg` and `png`. */
export function openPrinter(format: TicketFormat, dir: string | undefined, terminal: Terminal): TicketPrinter {
	switch (format) {
		case 'compact':
		case 'jws':
			return textPrinter(terminal, '', ({ code }) => `${code}\n`);
		case 'json':
			return textPrinter(terminal, '', jsonOf);
		case 'csv':
			return textPrinter(terminal, csvHeader, csvRow);
		case 'qr':
			return textPrinter(terminal, '', (ticket) => qrOnTerminal(ticket, terminal));
		case 'svg':
			return filePrinter(dir ?? '.', format, (ticket, code) => drawSvg(code, captionOf(ticket)));
		case 'png':
			return filePrinter(dir ?? '.', format, (_, code) => drawPng(code));
	}
}

/** Makes the folder, and refuses with `output_exists` before anything is issued when a ticket's file is there. */
export async function prepareFolder(
	dir: string,
	tickets: { evt: string; firstIdx: number; count: number; format: TicketFormat },
): Promise<void> {
	const { evt, firstIdx, count, format } = tickets;
	const present = new Set(
		await withDisk(dir, async () => {
			await mkdir(dir, { recursive: true });
			return readdir(dir);
		}),
	);
	for (let idx = firstIdx; idx < firstIdx + count; idx++) {
		const name = fileName({ evt, idx }, format);
		if (present.has(name)) throw new StilewardError('output_exists', `${join(dir, name)} is already there`);
	}
}

function textPrinter({ out }: Terminal, header: string, line: (ticket: IssuedTicket) => string): TicketPrinter {
	let piece = header;
	const flush = async (): Promise<void> => {
		const text = piece;
		piece = '';
		if (text !== '') await out.write(text);
	};
	return {
		async print(ticket) {
			piece += line(ticket);
			if (piece.length >= pieceChars) await flush();
		},
		close: flush,
	};
}

function filePrinter(
	dir: string,
	format: TicketFormat,
	draw: (ticket: IssuedTicket, code: QrCode) => string | Uint8Array,
): TicketPrinter {
	return {
		async print(ticket) {
			const path = join(dir, fileName(ticket, format));
			await withDisk(path, () => writeFile(path, draw(ticket, qrCode(ticket.code)), { flag: 'wx' }));
		},
		async close() {},
	};
}

function fileName({ evt, idx }: { evt: string; idx: number }, format: TicketFormat): string {
	return `${evt}-${idx}.${format}`;
}

async function withDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (cause) {
		// Only calls of node:fs are in here; their errors carry a code.
		const { code } = cause as NodeJS.ErrnoException;
		if (code === 'EEXIST') throw new StilewardError('output_exists', `${path} is already there`, { cause });
		throw new StilewardError('output_failed', `${path} cannot be written (${code})`, { cause });
	}
}

function captionOf({ evt, idx, cls, seat }: IssuedTicket) {
	return ticketCaption({ evt, cls, typed: formatTicketNumber(idx), ...(seat !== undefined && { seat }) });
}

function jsonOf({ evt, idx, code }: IssuedTicket): string {
	const ticket: TicketId = ticketId(evt, idx);
	return jsonLine({ ticket, idx, typed: formatTicketNumber(idx), code });
}

const csvHeader = 'ticket,idx,check,typed,class,seat,kid,code\n';

/** Text is always quoted (RFC 4180), so that spaces in a row survive a spreadsheet. */
function csvRow({ evt, idx, cls, seat, kid, code }: IssuedTicket): string {
	const typed = formatTicketNumber(idx);
	const check = typed.slice(typed.indexOf('-') + 1);
	const cells = [ticketId(evt, idx), idx, check, typed, cls, seat ?? '', kid, code];
	return `${cells.map((cell) => (typeof cell === 'number' ? cell : `"${cell.replaceAll('"', '""')}"`)).join(',')}\n`;
}

/** Refuses a drawing that the terminal would break into pieces. Where the width is unknown it is drawn. */
export function assertDrawable(code: QrCode, { columns }: Output): void {
	const needed = terminalColumns(code);
	if (columns === undefined || columns >= needed) return;
	throw new StilewardError('usage', `the terminal is ${columns} columns wide, the code needs ${needed}`);
}

function qrOnTerminal(ticket: IssuedTicket, { out }: Terminal): string {
	const code = qrCode(ticket.code);
	assertDrawable(code, out);
	const name = paint(out, 'bold', ticketId(ticket.evt, ticket.idx));
	const seat = ticket.seat === undefined ? '' : `  ${ticket.seat}`;
	return `${drawTerminal(code, out.color)}${name}  ${ticket.cls}${seat}  ${formatTicketNumber(ticket.idx)}\n\n`;
}
