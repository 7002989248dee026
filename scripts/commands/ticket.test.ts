import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTicketNumber } from '../../gate-agent/core/check-digit.ts';
import type { Ticket } from '../../gate-agent/core/ticket.ts';
import { verify } from '../../gate-agent/core/verify.ts';
import { loadTrust } from '../../gate-agent/keys/key-folder.ts';
import { type Ended, runCli, startCli, temporaryFolder } from './cli.suite.ts';
import { qrCode } from './qr.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let keys: string;

const adult = ['--class', 'adult', '--from', '2026-02-01T00:00Z', '--until', '2026-12-01T00:00Z'];

function issue(event: string, ...more: readonly string[]): Promise<Ended> {
	return runCli(['ticket', 'issue', '--keys', keys, '--event', event, ...adult, ...more]);
}

/** The tickets in these lines, each of them proven by the keys. */
async function tickets(lines: string): Promise<readonly Ticket[]> {
	const { keyset } = await loadTrust(keys);
	const verified = await Promise.all(
		lines
			.trimEnd()
			.split('\n')
			.map((line) => verify(line, keyset)),
	);
	return verified.map((result) => {
		if (result.kind === 'refused') throw new Error(`refused: ${result.refusal.reason}`);
		return result.ticket;
	});
}

beforeAll(async () => {
	folder = await temporaryFolder();
	keys = join(folder.path, 'keys');
	expect((await runCli(['keys', 'init', '--dir', keys])).code).toBe(0);
});

afterAll(() => folder[Symbol.asyncDispose]());

describe('stileward ticket issue', () => {
	it('prints one compact ticket a line and nothing else, numbered on from the last of the event', async () => {
		const first = await issue('lantern-2026', '--count', '3');
		expect(first).toMatchObject({ code: 0, err: '' });
		expect(first.out).toMatch(/^(SW1:[0-9A-Z $%*+\-./:]{1,174}\n){3}$/);
		const second = await issue('lantern-2026', '--count', '2');
		const other = await issue('opera', '--count', '1');
		const issued = first.out + second.out + other.out;
		expect((await tickets(issued)).map(({ id }) => id)).toEqual([
			'lantern-2026/0',
			'lantern-2026/1',
			'lantern-2026/2',
			'lantern-2026/3',
			'lantern-2026/4',
			'opera/0',
		]);
		for (const code of issued.trimEnd().split('\n')) expect(qrCode(code).version).toBe(7);
	});

	it('stays within 178 characters and QR version 7 for a number just under a million', async () => {
		const { out } = await issue('lantern-2026', '--first-idx', '999999');
		expect(out.trimEnd().length).toBeLessThanOrEqual(178);
		expect(qrCode(out.trimEnd()).version).toBe(7);
		expect(await tickets(out)).toMatchObject([{ id: 'lantern-2026/999999' }]);
	});

	it('signs every claim that it is given', async () => {
		const { out } = await issue(
			'claims',
			...['--use', '20', '--zone', 'main', '--zone', 'hall-2', '--session', 'evening', '--home', 'gate-1'],
			...['--seat', '第3排  Seat 7', '--first-idx', '4711', '--format', 'jws'],
		);
		expect(out).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/);
		expect(await tickets(out)).toEqual([
			{
				id: 'claims/4711',
				evt: 'claims',
				idx: 4711,
				cls: 'adult',
				nbf: Date.parse('2026-02-01T00:00Z') / 1000,
				exp: Date.parse('2026-12-01T00:00Z') / 1000,
				use: 20,
				zon: ['hall-2', 'main'],
				ses: 'evening',
				home: 'gate-1',
				seat: '第3排  Seat 7',
			},
		]);
	});

	it('numbers the seats of a series', async () => {
		const { out } = await issue('seats', '--count', '3', '--seat', 'Row 3 Seat {n}');
		const seats = (await tickets(out)).map(({ seat }) => seat);
		expect(seats).toEqual(['Row 3 Seat 1', 'Row 3 Seat 2', 'Row 3 Seat 3']);
	});

	it('gives no number to two tickets when two box offices issue at once', async () => {
		const runs = await Promise.all([1, 2, 3].map(() => issue('rush', '--count', '200', '--format', 'json')));
		const numbers = runs.flatMap(({ out }) => jsonLines(out)).map(({ idx }) => Number(idx));
		expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 600 }, (_, idx) => idx));
	});

	it('warns when numbers are given out again, and does not count back', async () => {
		await issue('again', '--count', '10');
		const again = await issue('again', '--first-idx', '2');
		expect(again.err).toMatch(/note: numbers below 10 may have been issued before/);
		expect(await tickets((await issue('again')).out)).toMatchObject([{ id: 'again/10' }]);
	});

	it('says in which zone it read a time without one', async () => {
		const plain = ['--class', 'adult', '--from', '2026-11-22', '--until', '2026-11-22'];
		const day = await runCli(['ticket', 'issue', '--keys', keys, '--event', 'zones', ...plain]);
		expect(day.err).toBe(
			'note: valid from 2026-11-22 00:00 +08:00 until 2026-11-23 00:00 +08:00, in this machine’s time zone\n',
		);
	});

	it.each([
		['an end that is not after the beginning', ['--until', '2026-02-01T00:00Z'], /--until .* must lie after --from/],
		['a day that does not exist', ['--until', '2026-02-30'], /no such day/],
		['no tickets', ['--count', '0'], /whole number from 1 to 1000000/],
		['too many tickets', ['--count', '1000001'], /whole number from 1 to 1000000/],
		['a count that is no number', ['--count', '1e3'], /whole number/],
		['an unknown format', ['--format', 'pdf'], /Allowed choices are compact/],
		['files without a folder', ['--format', 'svg'], /--out DIR/],
		['a folder without files', ['--out', 'x'], /redirect standard output/],
	])('ends with 2 for %s', async (_, args, message) => {
		const { code, out, err } = await issue('usage', ...args);
		expect({ code, out }).toEqual({ code: 2, out: '' });
		expect(err).toMatch(message);
	});

	it('takes no number for tickets that it refuses to sign', async () => {
		for (const wrong of [
			['--zone', 'Main Hall'],
			['--seat', 'x'.repeat(65)],
			['--count', '10', '--seat', `${'x'.repeat(63)}{n}`],
			['--first-idx', '2147483647', '--count', '2'],
		]) {
			const { code, out, err } = await issue('refused', ...wrong);
			expect({ code, out }).toEqual({ code: 1, out: '' });
			expect(err).toMatch(/\[(ticket_invalid|keys_missing)\]/);
		}
		expect(await tickets((await issue('refused')).out)).toMatchObject([{ id: 'refused/0' }]);
	});

	it('writes JSON lines whose typed number proves itself', async () => {
		const { out } = await issue('json', '--count', '2', '--format', 'json');
		for (const [idx, line] of jsonLines(out).entries()) {
			expect(Object.keys(line)).toEqual(['ticket', 'idx', 'typed', 'code']);
			expect(line).toMatchObject({ ticket: `json/${idx}`, idx });
			expect(parseTicketNumber(String(line.typed))).toBe(idx);
		}
	});

	it('writes CSV that keeps quotes and spaces in a row', async () => {
		const { out } = await issue('csv', '--count', '600', '--seat', 'Box "A",  left', '--format', 'csv');
		const [header, ...rows] = out.trimEnd().split('\n');
		expect(header).toBe('ticket,idx,check,typed,class,seat,kid,code');
		const cells = rows.map((row) =>
			[...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, q, n]) => q ?? n),
		);
		expect(cells.some(([, , , , , , , code]) => code?.includes('  '))).toBe(true);
		expect(cells[0]?.[5]).toBe('Box ""A"",  left');
		const seen = await tickets(
			cells
				.map(
					(row) => `${row[7]}
`,
				)
				.join(''),
		);
		expect(seen.map(({ idx }) => idx)).toEqual(cells.map((_, idx) => idx));
	});

	it.each(['svg', 'png'])('writes one %s to a ticket and never over one', async (format) => {
		const dir = join(folder.path, `print-${format}`);
		expect(await issue(`p-${format}`, '--count', '3', '--format', format, '--out', dir)).toMatchObject({
			code: 0,
			out: '',
		});
		const names = [0, 1, 2].map((idx) => `p-${format}-${idx}.${format}`);
		expect((await readdir(dir)).sort()).toEqual(names);
		const before = await Promise.all(names.map((name) => readFile(join(dir, name))));
		const again = await issue(`p-${format}`, '--first-idx', '2', '--count', '2', '--format', format, '--out', dir);
		expect(again).toMatchObject({ code: 1, out: '' });
		expect(again.err).toMatch(/-2\.\w+ is already there\n {2}hint: .*\[output_exists\]/);
		expect((await readdir(dir)).sort()).toEqual(names);
		expect(await Promise.all(names.map((name) => readFile(join(dir, name))))).toEqual(before);
	});

	it('names a folder that it cannot write to', async () => {
		const file = join(folder.path, 'a-file');
		await writeFile(file, '');
		const { code, err } = await issue('nowhere', '--format', 'png', '--out', join(file, 'sub'));
		expect(code).toBe(1);
		expect(err).toMatch(/a-file.* cannot be written \(ENOTDIR\)\n {2}hint: .*\[output_failed\]/);
	});

	it('draws in plain characters when its output is not a terminal', async () => {
		const { out } = await issue('qr', '--format', 'qr', '--seat', 'Row 3');
		expect(out).not.toContain('\x1b');
		expect(out).toMatch(/^(?:[█▀▄ ]{53}\n){27}qr\/0 {2}adult {2}Row 3 {2}0-98\n/);
	});

	it('ends quietly and at once when its reader has seen enough', async () => {
		const child = startCli(['ticket', 'issue', '--keys', keys, '--event', 'pipe', ...adult, '--count', '100000']);
		let err = '';
		child.stderr?.on('data', (text) => (err += text));
		child.stdout?.once('data', () => child.stdout?.destroy());
		const code = await new Promise((resolve) => child.once('close', resolve));
		expect({ code, err }).toEqual({ code: 0, err: '' });
	});
});

describe('stileward ticket inspect', () => {
	it('shows a ticket that is given as an argument, and proves nothing without keys', async () => {
		const code = (await issue('shown')).out.trimEnd();
		const shown = await runCli(['ticket', 'inspect', code]);
		expect(shown.code).toBe(0);
		expect(shown.out).toMatch(/^ticket +shown\/0$/m);
		expect(shown.out).toMatch(/^valid +from 2026-02-01 08:00 \+08:00 until 2026-12-01 08:00 \+08:00 \(/m);
		expect(shown.out).toMatch(/^signature +not checked/m);
		expect(shown.out).toMatch(/^form +compact, \d+ characters, QR version 7$/m);
		expect(shown.out).not.toContain(code);
	});

	it('reads many tickets from standard input, to the last space', async () => {
		const issued = (await issue('many', '--count', '3')).out;
		const { code, out } = await runCli(
			['ticket', 'inspect', '--keys', keys, '--json'],
			issued.replaceAll('\n', '\r\n'),
		);
		expect(code).toBe(0);
		expect(jsonLines(out)).toMatchObject(
			[0, 1, 2].map((idx) => ({
				ticket: `many/${idx}`,
				signature: 'valid',
				reason: null,
				form: 'compact',
				qrVersion: 7,
			})),
		);
		const padded = await runCli(['ticket', 'inspect', '--json'], issued.replaceAll('\n', ' \n'));
		expect(jsonLines(padded.out).map(({ reason }) => reason)).toEqual(['unreadable', 'unreadable', 'unreadable']);
	});

	it('ends with 3 for a forged ticket, and tells what it claims', async () => {
		const jws = (await issue('forged', '--format', 'jws')).out.trimEnd();
		const [header, payload = ''] = jws.split('.');
		// Another ticket's signature: well formed, and of the right key.
		const other = (await issue('forged', '--format', 'jws')).out.trimEnd().split('.')[2];
		const { code, out } = await runCli([
			'ticket',
			'inspect',
			'--keys',
			keys,
			'--json',
			`${header}.${payload}.${other}`,
		]);
		expect(code).toBe(3);
		expect(JSON.parse(out)).toMatchObject({ ticket: 'forged/0', signature: 'refused', reason: 'bad_signature' });
	});

	it('refuses the ticket of another installation as unknown_key', async () => {
		const elsewhere = join(folder.path, 'elsewhere');
		await runCli(['keys', 'init', '--dir', elsewhere]);
		const { out } = await issue('foreign');
		const seen = await runCli(['ticket', 'inspect', '--keys', elsewhere], out);
		expect(seen.code).toBe(3);
		expect(seen.out).toMatch(/^signature +refused: unknown_key$/m);
	});

	it.each([
		['https://example.com/t/1', 'not_a_ticket'],
		['134567890123456789', 'not_a_ticket'],
		['SW1:ABC', 'unreadable'],
		['', 'not_a_ticket'],
	])('ends with 3 for %j, with and without keys', async (text, reason) => {
		for (const more of [[], ['--keys', keys]]) {
			const { code, out, err } = await runCli(['ticket', 'inspect', '--json', ...more, text]);
			expect({ code, err }).toEqual({ code: 3, err: '' });
			expect(JSON.parse(out)).toMatchObject({ ticket: null, signature: 'refused', reason });
		}
	});

	it('explains a ticket that the shell has split, without repeating it', async () => {
		const { code, err } = await runCli(['ticket', 'inspect', 'SW1:AB', 'CD']);
		expect(code).toBe(2);
		expect(err).toMatch(/single quotes/);
		expect(err).not.toContain('SW1:AB');
	});

	it('refuses an endless line on standard input', async () => {
		const { code, err } = await runCli(['ticket', 'inspect'], 'A'.repeat(100_000));
		expect(code).toBe(2);
		expect(err).toMatch(/longer than any ticket/);
	});
});

function jsonLines(text: string): readonly Record<string, unknown>[] {
	return text
		.trimEnd()
		.split('\n')
		.map((line) => JSON.parse(line));
}
