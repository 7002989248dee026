import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { issueTicket } from '../core/issue.ts';
import { loadTrust } from '../keys/key-folder.ts';
import {
	type Bench,
	hoursFromNow,
	issue,
	off,
	on,
	type RunningGate,
	residentBytes,
	setUpBench,
	startGate,
	stileward,
	temporaryFolder,
	until,
} from './gate.suite.ts';

/** Presents a code and waits for the refusal that the gate logs for it. */
async function refusalOf(bench: Bench, gate: RunningGate, code: string | Uint8Array): Promise<unknown> {
	const logged = gate.lines.length;
	await bench.scanner.write(typeof code === 'string' ? `${code}\r` : code);
	return (await gate.line('denied', {}, logged)).reason;
}

/** A JWS whose signature has one wrong bit. */
function forged(jws: string): string {
	const at = jws.lastIndexOf('.') + 10;
	return jws.slice(0, at) + (jws[at] === 'A' ? 'B' : 'A') + jws.slice(at + 1);
}

/** A ticket that the first key signs with a number that belongs to the second. */
async function outOfRange(keys: string): Promise<string> {
	const { manifest } = await loadTrust(keys);
	const [old] = manifest.keys;
	if (!old) throw new Error('the manifest has no key');
	const privateKey = JSON.parse(readFileSync(join(keys, `issuer-${old.kid}.private.jwk`), 'utf8'));
	const nowS = Math.floor(Date.now() / 1000);
	const claims = { evt: 'lantern-2026', idx: old.to + 1, cls: 'adult', nbf: nowS - 60, exp: nowS + 3600 };
	return issueTicket(claims, { kid: old.kid, privateKey }, 'compact');
}

it('gives each wrong code its own refusal, keeps the gate shut, and opens for the next good ticket', async () => {
	const bench = await setUpBench();
	const otherKeys = join(temporaryFolder(), 'keys');
	stileward('keys', 'init', '--dir', otherKeys);
	const [good, used] = bench.issue('--count', '2') as [string, string];
	const wrong: Record<string, string> = {
		bad_signature: forged(bench.issue('--format', 'jws')[0] ?? ''),
		wrong_event: bench.issue('--event', 'other-2026')[0] ?? '',
		not_yet_valid: bench.issue('--from', hoursFromNow(24), '--until', hoursFromNow(25))[0] ?? '',
		expired: bench.issue('--from', hoursFromNow(-25), '--until', hoursFromNow(-24))[0] ?? '',
		wrong_zone: bench.issue('--zone', 'east')[0] ?? '',
		not_a_ticket: '281234567890123456',
		unreadable: `${used.slice(0, 60)}`,
	};
	stileward('keys', 'rotate', '--dir', bench.keys);
	const unknown = [issue(otherKeys, [])[0] ?? '', await outOfRange(bench.keys)];
	const gate = startGate(bench.sets);
	await gate.line('ready');
	const before = bench.board.received.length;
	for (const [reason, code] of Object.entries(wrong)) {
		expect([reason, await refusalOf(bench, gate, code)]).toEqual([reason, reason]);
	}
	for (const code of unknown) expect(await refusalOf(bench, gate, code)).toBe('unknown_key');
	expect(bench.bytes(before)).toBe('');

	await bench.scanner.write(`${good}\r`);
	await until('the gate opens', () => bench.bytes(before) === `${on} ${off}`);
	await until('the refusals are written', () => bench.rows().filter(({ kind }) => kind === 'denied').length === 9);
	expect(JSON.stringify(bench.rows())).not.toContain('281234567890123456');
});

it('survives noise: random bytes, a megabyte without an end, a torn code, a burst of two hundred', async () => {
	const bench = await setUpBench();
	const tickets = bench.issue('--count', '201');
	const gate = startGate(bench.sets);
	await gate.line('ready');
	const before = bench.board.received.length;
	// The first scans load code that stays; after them memory must not grow.
	for (let i = 0; i < 20; i += 1) await refusalOf(bench, gate, `warm-up ${i}`);
	const memory = residentBytes(gate.pid);

	await bench.scanner.write(randomBytes(4_096));
	await bench.scanner.write('\r');
	const flooded = gate.lines.length;
	await bench.scanner.write(Buffer.concat([Buffer.alloc(1024 * 1024, 0x41), Buffer.from('\r')]));
	await gate.line('denied', { reason: 'unreadable' }, flooded);
	await bench.scanner.write(tickets[0]?.slice(0, 90) ?? '');
	await sleep(1_500);
	const logged = gate.lines.length;
	await bench.scanner.write(
		tickets
			.slice(1)
			.map((code) => `${code.slice(0, -6)}ABC123\r`)
			.join(''),
	);
	await until(
		'every refusal of the burst',
		() => gate.lines.slice(logged).filter(({ event }) => event === 'denied').length === 200,
	);
	expect(bench.bytes(before)).toBe('');
	expect(residentBytes(gate.pid) - memory).toBeLessThan(10 * 1024 * 1024);

	await bench.scanner.write(`${tickets[0]}\r`);
	await until('the gate opens', () => bench.bytes(before) === `${on} ${off}`);
});
