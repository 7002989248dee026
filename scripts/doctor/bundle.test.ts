import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cliCommand, spawnToEnd } from '../commands/cli.suite.ts';
import { machineAround, setUpGate } from './gate-bench.suite.ts';
import { redactText, redactValue } from './redact.ts';

/** What must never be in an archive, and where somebody may have put it. */
const planted = {
	password: 'hunter2-of-the-venue',
	mail: 'mina.zhang@example.org',
	phone: '13812345678',
	identity: '11010519491231002X',
	ticket: 'SW1:0KVF+GXJ8Y4PLANTEDTICKET',
	jws: 'eyJhbGciOiJFZDI1NTE5In0.eyJldnQiOiJsYW50ZXJuIn0.c2lnbmF0dXJlLXRoYXQtaXMtcGxhbnRlZA',
	code: 'ABCDE-FGHJK-MNPQR-STVWX',
	bearer: 'Bearer v1.aGVsbG8gd29ybGQ',
	pem: '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIPLANTED\n-----END PRIVATE KEY-----',
	jwk: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
	name: 'Zhang Mina',
};

describe('an archive for support', () => {
	it('has what support needs, and none of the secrets and names that lay around', { timeout: 300_000 }, async () => {
		const bench = await setUpGate();
		const gate = await bench.start();
		const text = await readFile(bench.configFile, 'utf8');
		await writeFile(
			bench.configFile,
			`# password: ${planted.password}, call ${planted.name} ${planted.phone} ${planted.mail}\n${text}`,
		);
		await writeFile(join(bench.data, 'device.private.jwk.bak'), `{"d":"${planted.jwk}"}`);
		const journal = [
			JSON.stringify({
				level: 30,
				event: 'granted',
				lane: 'lane-1',
				rung: 'local',
				ticket: planted.ticket,
				operator: planted.name,
			}),
			JSON.stringify({
				level: 50,
				event: 'bug',
				problem: `token=${planted.bearer} ${planted.jws} ${planted.code}`,
				key: planted.jwk,
			}),
			`systemd: started for ${planted.mail} ${planted.phone} ${planted.identity}`,
			planted.pem.replaceAll('\n', ' '),
			'{"level":30,"event":"ready","url":"http://127.0.0.1:8480"}',
		];
		const path = await withJournal(bench.dir, journal);
		const file = join(bench.dir, 'support.tar.gz');
		const args = ['doctor', '--config', bench.configFile, '--root', await machineAround(bench.dir), '--bundle', file];
		const command = cliCommand(args, { PATH: `${path}:${process.env.PATH}` });
		expect((await spawnToEnd(command)).code).toBe(0);
		expect((await stat(file)).mode & 0o777).toBe(0o600);

		const out = join(bench.dir, 'unpacked');
		await mkdir(out);
		execFileSync('tar', ['-xzf', file, '-C', out]);
		const inside = join(out, 'support');
		const names = await readdir(inside);
		expect(names).toEqual(
			expect.arrayContaining([
				'doctor.json',
				'gate.yaml',
				'health.json',
				'journal.jsonl',
				'metrics.txt',
				'versions.json',
			]),
		);
		const all = (await Promise.all(names.map((name) => readFile(join(inside, name), 'utf8')))).join('\n');
		for (const [what, secret] of Object.entries(planted)) expect(all.includes(secret), what).toBe(false);
		for (const part of ['PLANTED', planted.jwk.slice(0, 20), 'nWGxne']) expect(all).not.toContain(part);
		expect(JSON.parse(await readFile(join(inside, 'doctor.json'), 'utf8'))).toMatchObject({ healthy: true });
		expect(await readFile(join(inside, 'gate.yaml'), 'utf8')).toContain('driver: grow-gm');
		expect(await readFile(join(inside, 'journal.jsonl'), 'utf8')).toContain(
			'"event":"granted","lane":"lane-1","rung":"local"'.slice(0, 24),
		);
		expect(JSON.parse(await readFile(join(inside, 'health.json'), 'utf8'))).toMatchObject({ ok: true });
		await gate.stop();
	});

	it('takes the place of no file', { timeout: 300_000 }, async () => {
		const bench = await setUpGate();
		const file = join(bench.dir, 'there.tar.gz');
		await writeFile(file, 'mine');
		const ended = await spawnToEnd(cliCommand(['doctor', '--config', bench.configFile, '--bundle', file]));
		expect(ended).toMatchObject({ code: 1, err: expect.stringContaining('[output_exists]') });
		expect(await readFile(file, 'utf8')).toBe('mine');
	});
});

describe('what is redacted', () => {
	it.each(Object.entries(planted).filter(([what]) => what !== 'name' && what !== 'password'))(
		'%s, in the middle of a text',
		(_, secret) => {
			expect(redactText(`before ${secret} after`)).not.toContain(secret);
		},
	);

	it('leaves what support needs: paths, names of errors, folders of keys, times', () => {
		const kept = {
			code: 'device_absent',
			path: '/dev/serial/by-id/usb-1a86_USB_Single_Serial_5A4B012345-if00-port0',
			keys: '/etc/stileward/keys',
			at: '2026-11-27T01:02:03.456Z',
			problem: 'there is no serial port /dev/ttyUSB0',
			version: '0.1.0',
		};
		expect(redactValue(kept)).toEqual(kept);
		expect(redactValue({ password: 'short', d: 'x', code: 'ABCD1234' })).toEqual({
			password: '[secret]',
			d: '[secret]',
			code: '[secret]',
		});
	});
});

/** A `journalctl` that prints these lines: the log of a unit that this machine has not. Gives the folder it is in. */
async function withJournal(dir: string, lines: readonly string[]): Promise<string> {
	const folder = join(dir, 'bin');
	await mkdir(folder);
	await writeFile(join(folder, 'lines'), `${lines.join('\n')}\n`);
	await writeFile(join(folder, 'journalctl'), `#!/bin/sh\ncat "${join(folder, 'lines')}"\n`);
	await chmod(join(folder, 'journalctl'), 0o755);
	return folder;
}
