import { writeFile } from 'node:fs/promises';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { formatEnrollmentLink, formatHandheldLink } from '../../sync/protocol/enrollment-link.ts';
import { withOffice } from './office-client.ts';
import type { CodeFormat } from './office-devices.ts';
import type { SessionOptions } from './office-options.ts';
import { jsonLine, type Terminal } from './output.ts';
import { drawPng, drawSvg, drawTerminal, type QrCode, qrCode, terminalColumns } from './qr.ts';
import { assertDrawable } from './ticket-print.ts';
import { localTime } from './times.ts';

/** The options of `device code`. */
export interface DeviceCodeOptions extends SessionOptions {
	readonly name: string;
	readonly minutes: number;
	readonly replace?: true;
	readonly hub?: true;
	readonly handheld?: true;
	readonly format?: CodeFormat;
	readonly out?: string;
}

interface Code {
	readonly name: string;
	readonly code: string;
	readonly expiresMs: number;
	readonly url: string;
	readonly fingerprint: string;
	/** All of it in one text: what the QR code says. */
	readonly link: string;
}

/** Makes a one-time code and shows it as text or as a QR code. */
export async function deviceCode(options: DeviceCodeOptions, terminal: Terminal): Promise<void> {
	checkOptions(options);
	const { name, minutes, replace, hub, handheld, profile, json } = options;
	await withOffice(profile, terminal, async (office) => {
		const body = { name, minutes, ...(replace && { replace }), ...(hub && { hub }) };
		const made = await office.call({ method: 'POST', path: '/codes', body });
		const { url, fingerprint } = office.session;
		const code = String(made.code);
		const link = (handheld ? formatHandheldLink : formatEnrollmentLink)({ url, fingerprint, code });
		const whole = { name, code, expiresMs: Number(made.expiresMs), url, fingerprint, link };
		await writePicture(options, whole);
		await terminal.out.write(json ? jsonLine(whole) : await textOf(options, whole, terminal));
	});
}

function checkOptions({ format, out, json, hub, handheld, replace }: DeviceCodeOptions): void {
	const toFile = format === 'png' || format === 'svg';
	if (toFile !== (out !== undefined)) throw usage('--format png and svg write a file: give both --format and --out');
	if (hub && (replace || toFile)) throw usage('the code of a hub is typed; it replaces a hub of its name in any case');
	if (hub && handheld) throw usage('a hub is no handheld: give one of --hub and --handheld');
	if (format === 'qr' && json) throw usage('--json prints no drawing; its `link` is what the QR code says');
}

async function writePicture({ format, out }: DeviceCodeOptions, { name, code, link, expiresMs }: Code): Promise<void> {
	if (out === undefined) return;
	const qr = qrCode(link);
	const lines = [name, code, `until ${untilOf(expiresMs)}`].map((text, at) => ({ text, bold: at === 1 }));
	const picture = format === 'png' ? drawPng(qr) : drawSvg(qr, { title: `enroll ${name}`, lines });
	try {
		// Whoever sees it may enroll a device until it ends.
		await writeFile(out, picture, { flag: 'wx', mode: 0o600 });
	} catch (cause) {
		// Only `writeFile` is in here; its errors carry a code.
		const { code: why } = cause as NodeJS.ErrnoException;
		if (why === 'EEXIST') throw new StilewardError('output_exists', `${out} is already there`, { cause });
		throw new StilewardError('output_failed', `${out} cannot be written (${why})`, { cause });
	}
}

async function textOf(options: DeviceCodeOptions, whole: Code, { out }: Terminal): Promise<string> {
	const { name, code, expiresMs } = whole;
	const picture = options.out === undefined ? drawing(options, qrCode(whole.link), out) : `${options.out}\n`;
	return `${picture}${code}\n\nOn ${name}, until ${untilOf(expiresMs)}:\n${howTo(options, whole)}`;
}

function howTo({ hub, handheld }: DeviceCodeOptions, { url, fingerprint, code, link }: Code): string {
	if (handheld) {
		return `  1. once for each phone, trust the venue: ${url}/handheld/trust\n  2. open this, or scan it:\n     ${link}\n`;
	}
	const what = hub ? 'server enroll --upstream' : 'gate enroll --server';
	return `  $ stileward ${what} ${url} --fingerprint ${fingerprint} --code ${code} --data DIR\n`;
}

function drawing({ format, hub }: DeviceCodeOptions, code: QrCode, out: Terminal['out']): string {
	if (format === 'qr') assertDrawable(code, out);
	if (hub) return '';
	const hasRoom = out.isTerminal && (out.columns ?? 0) >= terminalColumns(code);
	return format === 'qr' || (format === undefined && hasRoom) ? `${drawTerminal(code, out.color)}\n` : '';
}

function untilOf(expiresMs: number): string {
	return localTime(Math.floor(expiresMs / 1000));
}

function usage(message: string): StilewardError {
	return new StilewardError('usage', message);
}
