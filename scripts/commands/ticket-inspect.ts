import { formatTicketNumber } from '../../gate-agent/core/check-digit.ts';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { classifyForeign } from '../../gate-agent/core/foreign-code.ts';
import type { Keyset } from '../../gate-agent/core/keyset.ts';
import type { Refusal } from '../../gate-agent/core/refusal.ts';
import { scanBytesMax } from '../../gate-agent/core/scan.ts';
import type { Ticket } from '../../gate-agent/core/ticket.ts';
import { type DecodedTicket, ticketFormats } from '../../gate-agent/core/ticket-formats.ts';
import { verify } from '../../gate-agent/core/verify.ts';
import { loadTrust } from '../../gate-agent/keys/key-folder.ts';
import { exitCodes } from './exit.ts';
import { facts, jsonLine, type Output, paint, type Terminal } from './output.ts';
import { qrCode } from './qr.ts';
import { localTime } from './times.ts';

/** The options of `ticket inspect`. */
export interface InspectOptions {
	readonly keys?: string;
	readonly json?: true;
}

/** What a look at one code found. Without keys nothing is proven, so the signature is `not_checked`. */
interface Inspection {
	readonly form?: string;
	readonly decoded?: DecodedTicket;
	readonly signature: 'valid' | 'not_checked' | 'refused';
	readonly refusal?: Refusal;
	readonly characters: number;
	readonly qrVersion?: number;
}

/**
 * Prints what tickets say. Codes are taken as they are, never trimmed: a compact ticket may end in a space.
 * Ends with the exit code `found` when one of them is refused.
 */
export async function inspectTickets(
	codes: readonly string[],
	options: InspectOptions,
	terminal: Terminal,
): Promise<void> {
	if (codes.length > 1) {
		throw new StilewardError('usage', 'more than one argument: put the ticket in single quotes, it may hold spaces');
	}
	const keyset = options.keys === undefined ? undefined : (await loadTrust(options.keys)).keyset;
	let inspected = 0;
	for await (const code of codes.length === 1 ? codes : lines(terminal)) {
		const inspection = await inspect(code, keyset);
		if (inspection.signature === 'refused') terminal.finish(exitCodes.found);
		if (options.json) await terminal.out.write(jsonLine(asJson(inspection)));
		else await terminal.out.write((inspected > 0 ? '\n' : '') + asText(inspection, terminal));
		inspected++;
	}
	if (inspected === 0)
		throw new StilewardError('usage', 'no ticket was given, neither as argument nor on standard input');
}

/** The lines of standard input, without their ends and nothing else removed. */
async function* lines(terminal: Terminal): AsyncGenerator<string> {
	if (terminal.in.isTTY) await terminal.err.write('note: paste a ticket and press Enter; end with Ctrl-D\n');
	terminal.in.setEncoding('utf8');
	let rest = '';
	for await (const chunk of terminal.in) {
		const parts = `${rest}${chunk}`.split('\n');
		rest = parts.pop() ?? '';
		for (const part of parts) if (part.replace('\r', '') !== '') yield part.replace(/\r$/, '');
		if (rest.length > scanBytesMax)
			throw new StilewardError('usage', 'standard input has a line longer than any ticket');
	}
	if (rest !== '') yield rest.replace(/\r$/, '');
}

async function inspect(code: string, keyset: Keyset | undefined): Promise<Inspection> {
	const format = ticketFormats.find((candidate) => candidate.looksLike(code));
	const decoded = format?.decode(code);
	const base = {
		characters: code.length,
		...(format && { form: format.name }),
		...(decoded && { decoded, qrVersion: qrCode(code).version }),
	};
	if (keyset) {
		const verified = await verify(code, keyset);
		if (verified.kind === 'refused') return { ...base, signature: 'refused', refusal: verified.refusal };
		return { ...base, signature: 'valid' };
	}
	if (decoded) return { ...base, signature: 'not_checked' };
	const refusal: Refusal = format ? { reason: 'unreadable' } : { reason: 'not_a_ticket', code: classifyForeign(code) };
	return { ...base, signature: 'refused', refusal };
}

function asJson({ form, decoded, signature, refusal, characters, qrVersion }: Inspection): object {
	const ticket = decoded?.ticket;
	return {
		ticket: ticket?.id ?? null,
		idx: ticket?.idx ?? null,
		typed: ticket ? formatTicketNumber(ticket.idx) : null,
		signature,
		reason: refusal?.reason ?? null,
		...(refusal?.reason === 'not_a_ticket' && { looksLike: refusal.code }),
		form: form ?? null,
		kid: decoded?.kid ?? null,
		alg: decoded?.alg ?? null,
		characters,
		qrVersion: qrVersion ?? null,
		claims: ticket ? claimsOf(ticket) : null,
	};
}

function claimsOf({ id: _, ...claims }: Ticket): object {
	return claims;
}

function asText(inspection: Inspection, { out, nowMs }: Terminal): string {
	const { form, decoded, characters, qrVersion } = inspection;
	const size = `${characters} characters${qrVersion ? `, QR version ${qrVersion}` : ''}`;
	return facts(out, [
		...(decoded ? claimLines(decoded.ticket, Math.floor(nowMs() / 1000)) : []),
		['signature', signatureText(inspection, out)],
		['key', decoded && `${decoded.kid} (${decoded.alg})`],
		['form', form === undefined ? size : `${form}, ${size}`],
	]);
}

function claimLines(ticket: Ticket, nowSeconds: number): readonly (readonly [string, string | undefined])[] {
	return [
		['ticket', ticket.id],
		['typed', formatTicketNumber(ticket.idx)],
		['event', ticket.evt],
		['class', ticket.cls],
		['valid', validityText(ticket, nowSeconds)],
		['session', ticket.ses],
		['zones', ticket.zon?.join(', ') ?? 'all'],
		['uses', String(ticket.use)],
		['home gate', ticket.home],
		['seat', ticket.seat],
		['holder', ticket.holderBound ? 'bound to a key' : undefined],
	];
}

function validityText({ nbf, exp }: Ticket, nowSeconds: number): string | undefined {
	if (nbf === undefined && exp === undefined) return undefined;
	const from = nbf === undefined ? '' : `from ${localTime(nbf)} `;
	const until = exp === undefined ? '' : `until ${localTime(exp)} `;
	const state = nowSeconds < (nbf ?? 0) ? 'not yet' : nowSeconds >= (exp ?? Infinity) ? 'expired' : 'now';
	return `${from}${until}(${state})`;
}

function signatureText({ signature, refusal }: Inspection, out: Output): string {
	if (signature === 'valid') return paint(out, 'green', 'valid');
	if (signature === 'not_checked') return paint(out, 'yellow', 'not checked (give --keys)');
	const kind = refusal?.reason === 'not_a_ticket' ? ` (${refusal.code})` : '';
	return paint(out, 'red', `refused: ${refusal?.reason}${kind}`);
}
