import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onlyPublic } from '../../../gate-agent/core/jwk.ts';
import { deviceIdOf } from '../../protocol/enroll.ts';
import type { ConfigReport, ConfigResponse } from '../../protocol/gate-config.ts';
import { isResponse } from '../../protocol/paths.ts';
import { askToken, newKey, type ServerUnderTest, startServerUnderTest } from '../running-server.suite.ts';

let venue: ServerUnderTest;
let session: string;
beforeAll(async () => {
	venue = await startServerUnderTest();
	session = await venue.login();
});
afterAll(() => venue.close());

const office = (method: 'GET' | 'POST', path: string, body?: unknown) =>
	venue.ask({ method, path: `/v1/office${path}`, ...(body !== undefined && { body }) }, session);
const push = (gate: string, text: string, note?: string) =>
	office('POST', `/configs/${encodeURIComponent(gate)}`, { text, ...(note !== undefined && { note }) });
const lanes = 'lanes: [{ id: lane-1 }]\n';
const hashOf = (text: string) => createHash('sha256').update(text).digest('base64url');

async function enroll(name: string, replace = false) {
	const { body } = await office('POST', '/codes', { name, ...(replace && { replace }) });
	const key = await newKey();
	const request = { code: (body as { code: string }).code, key: onlyPublic(key), name, version: '0.1.0' };
	expect(await venue.ask({ method: 'POST', path: '/v1/enroll', body: request })).toMatchObject({ status: 200 });
	const id = await deviceIdOf(onlyPublic(key));
	const token = ((await askToken(venue.ask, { id, key })).body as { access_token: string }).access_token;
	return {
		config: async (query = '') => {
			const answer = await venue.ask({ method: 'GET', path: `/v1/config${query}` }, token);
			expect(answer.status).toBe(200);
			expect(isResponse('config', answer.body)).toBe(true);
			return answer.body as ConfigResponse;
		},
		report: (config: ConfigReport) => {
			const body = { version: '0.1.0', waiting: 0, clockTrusted: true, config, lanes: [] };
			return venue.ask({ method: 'POST', path: '/v1/report', body }, token);
		},
	};
}

describe('the configuration of a gate', () => {
	it('is told to the gate of that name alone, and its text once', async () => {
		const [gate, other] = [await enroll('gate one'), await enroll('gate two')];
		expect(await gate.config()).toEqual({ gate: 'gate one' });
		const pushed = await push('gate one', lanes, 'first');
		const sha256 = hashOf(lanes);
		expect(pushed).toMatchObject({
			status: 200,
			body: { gate: 'gate one', version: 1, sha256, by: 'mina', note: 'first' },
		});
		expect(await gate.config()).toEqual({ gate: 'gate one', newest: { version: 1, sha256, text: lanes } });
		expect(await gate.config(`?heard=1.${sha256}`)).toEqual({ gate: 'gate one' });
		// Its server was restored: the number is known, the text is another.
		expect(await gate.config(`?heard=1.${hashOf('x')}`)).toMatchObject({ newest: { version: 1 } });
		expect(await gate.config(`?heard=7.${hashOf('x')}`)).toMatchObject({ newest: { version: 1 } });
		expect(await other.config()).toEqual({ gate: 'gate two' });
		expect((await venue.ask({ method: 'GET', path: '/v1/config' })).body).toMatchObject({ code: 'token_invalid' });
	});

	it('comes along to the box that takes the place of another: what that one had proven', async () => {
		const old = await enroll('gate-3');
		await push('gate-3', lanes);
		await push('gate-3', `${lanes}# two`);
		expect(
			await old.report({ state: 'confirmed', version: 1, refused: { version: 2, why: 'not ready' } }),
		).toMatchObject({
			status: 200,
		});
		const spare = await enroll('gate-3', true);
		expect(await spare.config()).toMatchObject({ newest: { version: 2 }, proven: { version: 1, text: lanes } });
		// One that is only on trial has proven nothing.
		await spare.report({ state: 'trial', version: 2 });
		expect(await (await enroll('gate-3', true)).config()).toMatchObject({ proven: { version: 1 } });
	});

	it('goes back to an older text as a new version, and the audit knows who did', async () => {
		await push('gate-4', lanes);
		await push('gate-4', `${lanes}# two`);
		const back = await office('POST', '/configs/gate-4/rollback', { version: 1, note: 'misreads' });
		expect(back).toMatchObject({ status: 200, body: { version: 3, copyOf: 1, sha256: hashOf(lanes) } });
		expect((await office('GET', '/configs/gate-4/3')).body).toMatchObject({ text: lanes });
		expect((await office('POST', '/configs/gate-4/rollback', { version: 9 })).body).toMatchObject({
			code: 'not_found',
		});
		const { rows } = (await office('GET', '/audit')).body as { rows: object[] };
		expect(rows).toContainEqual(
			expect.objectContaining({ operator: 'mina', act: 'config.rollback', subject: 'gate-4 1 misreads' }),
		);
		expect((await office('GET', '/configs')).body).toMatchObject({
			configs: expect.arrayContaining([expect.objectContaining({ gate: 'gate-4', version: 3 })]),
		});
	});

	it('takes the name of a gate in any script', async () => {
		const name = '入口'.repeat(32);
		expect(await push(name, `agent: "${name}"\n${lanes}`)).toMatchObject({ status: 200, body: { gate: name } });
		expect((await office('GET', `/configs/${encodeURIComponent(name)}/1`)).body).toMatchObject({ gate: name });
	});

	it.each([
		['', 'malformed'],
		['42', 'malformed'],
		['[lanes]', 'malformed'],
		['lanes: [', 'malformed'],
		['lanes: 1\nlanes: 2', 'malformed'],
		['venue: { claimMs: 150 }', 'malformed'],
		[`${lanes}data: /etc`, 'malformed'],
		[`${lanes}http: { port: 80 }`, 'malformed'],
		[`${lanes}keys: ./keys`, 'malformed'],
		[`${lanes}__proto__: { data: /etc }`, 'malformed'],
		[`${lanes}agent: gate-6`, 'malformed'],
		[`${'['.repeat(30_000)}`, 'malformed'],
		[
			`a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(9)}]\nc: &c [${'*b,'.repeat(9)}]\nlanes: [${'*c,'.repeat(9)}]`,
			'malformed',
		],
		[`lanes: [${'a'.repeat(70_000)}]`, 'malformed'],
		[`lanes: [${'入'.repeat(30_000)}]`, 'too_large'],
	])('refuses %.40j', async (text, code) => {
		expect((await push('gate-5', text)).body).toMatchObject({ code });
		expect((await office('GET', '/configs/gate-5')).body).toEqual({ configs: [] });
	});
});
