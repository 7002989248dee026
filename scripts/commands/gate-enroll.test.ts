import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatEnrollmentLink } from '../../sync/protocol/enrollment-link.ts';
import { type ServerUnderTest, startServerUnderTest } from '../../sync/server/running-server.suite.ts';
import { runCli, temporaryFolder } from './cli.suite.ts';

let venue: ServerUnderTest;
let session: string;
beforeAll(async () => {
	venue = await startServerUnderTest();
	session = await venue.login();
	const rules = { classes: {}, unknownClass: 'admit', sessions: {}, timeZone: 'Asia/Shanghai', dayStartsAtMinutes: 0 };
	const body = { policy: { evt: 'lantern-2026', ...rules } };
	expect((await venue.ask({ method: 'PUT', path: '/v1/office/events/lantern-2026', body }, session)).status).toBe(200);
});
afterAll(() => venue.close());

let gates = 0;
async function newCode(): Promise<string> {
	gates += 1;
	const body = { name: `gate-${gates}` };
	const made = await venue.ask({ method: 'POST', path: '/v1/office/codes', body }, session);
	return (made.body as { code: string }).code;
}
const where = () => ({ url: venue.server.url, fingerprint: venue.server.fingerprint });
function enroll(data: string, code: string, more: readonly string[] = []) {
	const { url, fingerprint } = where();
	return runCli([
		'gate',
		'enroll',
		'--server',
		url,
		'--fingerprint',
		fingerprint,
		'--code',
		code,
		'--data',
		data,
		...more,
	]);
}

describe('stileward gate enroll', () => {
	it('makes a folder a gate of the venue that knows its rules, with a key that only its owner reads', async () => {
		await using folder = await temporaryFolder();
		const data = join(folder.path, 'new', 'data');
		const { code, out } = await enroll(data, (await newCode()).toLowerCase(), ['--json']);
		expect(code).toBe(0);
		expect(JSON.parse(out)).toMatchObject({ venue: 'harbor', loaded: true, events: ['lantern-2026'] });
		expect((await stat(join(data, 'device.private.jwk'))).mode & 0o777).toBe(0o600);
		expect(out).not.toContain(JSON.parse(await readFile(join(data, 'device.private.jwk'), 'utf8')).d);
		expect(existsSync(join(data, 'ledger.db'))).toBe(true);
		const again = await enroll(data, await newCode());
		expect(again).toMatchObject({ code: 1, out: '' });
		expect(again.err).toMatch(/enrolled already.*\[keys_exist\]/s);
		expect(await enroll(data, await newCode(), ['--replace'])).toMatchObject({ code: 0, err: expect.any(String) });
	}, 120_000);

	it('takes the text of an enrollment QR code', async () => {
		await using folder = await temporaryFolder();
		const link = formatEnrollmentLink({ ...where(), code: await newCode() });
		const linked = await runCli(['gate', 'enroll', '--link', link, '--data', join(folder.path, 'data')]);
		expect(linked).toMatchObject({ code: 0, out: expect.stringContaining('is a gate of harbor now') });
		const wrong = await runCli(['gate', 'enroll', '--link', 'https://example.org', '--data', folder.path]);
		expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('--link') });
	}, 120_000);

	it('leaves nothing behind where the code is spent, the pin is wrong, or nobody answers', async () => {
		await using folder = await temporaryFolder();
		const data = join(folder.path, 'data');
		const spent = await newCode();
		expect(await enroll(join(folder.path, 'first'), spent)).toMatchObject({ code: 0 });
		const { url, fingerprint } = where();
		const args = ['gate', 'enroll', '--data', data, '--code', await newCode()];
		const wrongPin = `${fingerprint.slice(1)}A`;
		const tries = [
			[await enroll(data, spent), 'server_refused'],
			[await runCli([...args, '--server', url, '--fingerprint', wrongPin]), 'server_untrusted'],
			[await runCli([...args, '--server', 'https://127.0.0.1:1', '--fingerprint', fingerprint]), 'server_unreachable'],
			[await runCli([...args, '--server', url]), 'usage'],
		] as const;
		for (const [{ code, out, err }, name] of tries) {
			expect([code === 0, out], name).toEqual([false, '']);
			expect(err).toContain(`[${name}]`);
		}
		expect(existsSync(data)).toBe(false);
	}, 180_000);
});

describe('a gate without keys', () => {
	it('says that it is neither enrolled nor has keys and an event, and what to do', async () => {
		await using folder = await temporaryFolder();
		const config = join(folder.path, 'gate.yaml');
		const lane = '{ id: lane-1, scanner: { driver: replay, path: codes.txt }, relay: { driver: simulated } }';
		await writeFile(config, `data: ${join(folder.path, 'data')}\nhttp: { enabled: false }\nlanes: [${lane}]\n`);
		const { code, err } = await runCli(['gate', 'run', '--config', config]);
		expect(code).toBe(1);
		for (const part of ['event', 'keys', 'gate enroll']) expect(err).toContain(part);
	}, 60_000);
});
