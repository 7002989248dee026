import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { issueTicket } from '../core/issue.ts';
import { loadTrust } from '../keys/key-folder.ts';
import {
	hoursFromNow,
	issue,
	makeKeys,
	type RunningGate,
	residentBytes,
	stileward,
	temporaryFolder,
	until,
} from './gate.suite.ts';
import { type Bench, off, on, setUpBench } from './lcus-bench.suite.ts';

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

/** One code for each refusal, and the key that signs none of the gate's tickets. */
async function wrongCodes({ keys, issue: issued }: Bench, used: string): Promise<Record<string, string>> {
	const one = async (...args: readonly string[]) => (await issued(...args))[0] ?? '';
	const codes = {
		bad_signature: forged(await one('--format', 'jws')),
		wrong_event: await one('--event', 'other-2026'),
		not_yet_valid: await one('--from', hoursFromNow(24), '--until', hoursFromNow(25)),
		expired: await one('--from', hoursFromNow(-25), '--until', hoursFromNow(-24)),
		wrong_zone: await one('--zone', 'east'),
		not_a_ticket: paymentCode,
		unreadable: used.slice(0, 60),
	};
	await stileward('keys', 'rotate', '--dir', keys);
	return codes;
}

const paymentCode = '281234567890123456';

it('gives each wrong code its own refusal, keeps the gate shut, and opens for the next good ticket', async () => {
	const bench = await setUpBench();
	const otherKeys = await makeKeys(join(temporaryFolder(), 'keys'));
	const [good = '', used = ''] = await bench.issue('--count', '2');
	const wrong = await wrongCodes(bench, used);
	const unknown = [(await issue(otherKeys, []))[0] ?? '', await outOfRange(bench.keys)];
	const gate = await bench.start();
	const before = bench.board.received.length;
	for (const [reason, code] of Object.entries(wrong)) {
		expect([reason, await refusalOf(bench, gate, code)]).toEqual([reason, reason]);
	}
	for (const code of unknown) expect(await refusalOf(bench, gate, code)).toBe('unknown_key');
	expect(bench.bytes(before)).toBe('');

	await bench.present(good);
	await until('the gate opens', () => bench.bytes(before) === `${on} ${off}`);
	await until('the refusals are written', async () => (await bench.rows('denied')).length === 9);
	const metrics = await gate.metrics();
	for (const reason of Object.keys(wrong)) {
		expect(metrics).toContain(`stileward_refusals_total{lane="lane-1",reason="${reason}"} 1\n`);
	}
	expect(metrics).toContain('stileward_refusals_total{lane="lane-1",reason="unknown_key"} 2\n');
	expect(metrics).toContain('stileward_admissions_total{lane="lane-1",rung="local"} 1\n');
	expect(metrics).toContain('stileward_device_up{device="lane-1.relay"} 1\n');
	const told = [gate.printed(), JSON.stringify(await gate.health()), metrics, JSON.stringify(await bench.rows())];
	for (const code of [good, ...Object.values(wrong), ...unknown]) expect(told.join()).not.toContain(code);
});

it('survives noise: random bytes, a megabyte without an end, a torn code, a burst of two hundred', async () => {
	const bench = await setUpBench();
	const tickets = await bench.issue('--count', '201');
	const gate = await bench.start();
	const before = bench.board.received.length;
	const memory = residentBytes(gate.pid);

	await bench.scanner.write(randomBytes(4_096));
	await bench.scanner.write('\r');
	const flooded = gate.lines.length;
	await bench.scanner.write(Buffer.concat([Buffer.alloc(1024 * 1024, 0x41), Buffer.from('\r')]));
	await gate.line('denied', { reason: 'unreadable' }, flooded);
	const torn = gate.lines.length;
	await bench.scanner.write(tickets[0]?.slice(0, 90) ?? '');
	await gate.line('denied', { reason: 'unreadable' }, torn);
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

	await bench.present(tickets[0] ?? '');
	await until('the gate opens', () => bench.bytes(before) === `${on} ${off}`);
});
