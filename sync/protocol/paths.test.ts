import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cursor, formatCursor, parseCursor } from './cursor.ts';
import { addressOf, isRequest, isResponse, routes } from './paths.ts';
import { type ProblemCode, problemOf, problems, readProblem } from './problem.ts';

describe('the table of calls', () => {
	test('has one entry per method and path, all of one version', () => {
		const addresses = Object.values(routes).map(({ method, path }) => `${method} ${path}`);
		expect(new Set(addresses).size).toBe(addresses.length);
		expect(addresses.filter((each) => !/ \/v1\/[a-z/-]+$/.test(each))).toEqual([]);
		for (const route of Object.values(routes)) expect(route.bodyBytesMax > 0).toBe(route.method === 'POST');
	});

	test('opens nothing without a token but what a token is made of', () => {
		const open = Object.entries(routes).filter(([, { auth }]) => auth === 'none');
		expect(open.map(([name]) => name)).toEqual(['enroll', 'nonce', 'token', 'time']);
	});

	test('puts a request into the query of a GET', () => {
		expect(addressOf('feed', { since: '1.2.3', waitMs: 25_000 })).toBe('/v1/feed?since=1.2.3&waitMs=25000');
		expect(addressOf('snapshot', {})).toBe('/v1/snapshot');
		expect(addressOf('segments', { segment: 'a b' })).toBe('/v1/segments');
	});

	test('refuses members that nobody knows in a request, and lets a newer server add some', () => {
		expect(isRequest('time', { nonce: 'A'.repeat(22) })).toBe(true);
		expect(isRequest('time', { nonce: 'A'.repeat(22), more: 1 })).toBe(false);
		expect(isRequest('time', { nonce: 'short' })).toBe(false);
		expect(isResponse('time', { time: 'x', more: 1 })).toBe(true);
		expect(isRequest('claims', { claims: [] })).toBe(false);
	});

	test('takes names and PINs of staff in one form only', () => {
		for (const pin of ['482', '4829130000000', '48a1', '', ' 4829']) {
			expect(isRequest('staffSignIn', { name: 'li.na', pin }), pin).toBe(false);
		}
		for (const name of ['', 'Li Na', '.li', 'x'.repeat(33)]) {
			expect(isRequest('staffSignIn', { name, pin: '4829' }), name).toBe(false);
		}
		expect(isRequest('staffSignIn', { name: 'li.na', pin: '4829' })).toBe(true);
		const order = { token: 'T'.repeat(43), device: 'D'.repeat(43), lane: 'lane-1', order: 'confirm' };
		expect(isRequest('staffLaneOrder', order)).toBe(true);
		expect(isRequest('staffLaneOrder', { ...order, order: 'emergency_open' })).toBe(false);
	});

	test('takes no private key at an enrollment', () => {
		const key = { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) };
		const request = { code: 'ABCD-EFGH', key, name: 'gate 1', version: '0.2.0' };
		expect(isRequest('enroll', request)).toBe(true);
		expect(isRequest('enroll', { ...request, key: { ...key, d: 'A'.repeat(43) } })).toBe(false);
	});
});

describe('a cursor', () => {
	test('comes back as it was written, and nothing else is one', () => {
		const cursor: fc.Arbitrary<Cursor> = fc.record({
			epoch: fc.integer({ min: 1, max: 999_999_999 }),
			control: fc.nat(2 ** 31 - 1),
			admissions: fc.nat(2 ** 31 - 1),
		});
		fc.assert(
			fc.property(cursor, (each) => {
				expect(parseCursor(formatCursor(each))).toEqual(each);
			}),
		);
		fc.assert(
			fc.property(fc.string(), (text) => {
				const read = parseCursor(text);
				expect(read === undefined || formatCursor(read) === text).toBe(true);
			}),
		);
		for (const text of ['0.1.1', '1.01.1', '1.1', '1.1.1.1', '1.-1.0', '1.1.1 ', '1.1e3.1']) {
			expect(parseCursor(text)).toBeUndefined();
		}
	});
});

describe('a problem', () => {
	test('of every code reads back as that code and says what to do', () => {
		// The keys of the table are its codes.
		for (const code of Object.keys(problems) as ProblemCode[]) {
			const problem = problemOf(code, { detail: 'claims/3', retryAfterMs: 5 });
			expect(readProblem(JSON.parse(JSON.stringify(problem)))).toEqual({ code, detail: 'claims/3', retryAfterMs: 5 });
			expect(problem.hint.endsWith('.') && problem.title.endsWith('.')).toBe(true);
		}
	});

	test('of a newer server is a failure of it, and a proxy’s page is no problem at all', () => {
		expect(readProblem({ ...problemOf('internal'), code: 'of_tomorrow' })).toEqual({ code: 'internal' });
		expect(readProblem({ ...problemOf('internal'), code: 'constructor' })).toEqual({ code: 'internal' });
		for (const value of [undefined, null, 'Bad Gateway', { error: 'x' }, []])
			expect(readProblem(value)).toBeUndefined();
	});
});
