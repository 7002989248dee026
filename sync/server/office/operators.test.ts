import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteOffice } from './kysely-office.ts';
import type { Office } from './office.ts';
import { createOperators, type Operators, sessionMs } from './operators.ts';

const password = 'correct horse battery staple';
const mina = { venue: 'harbor', name: 'mina', role: 'administrator', password } as const;

let dir: string;
let office: Office;
let operators: Operators;
let now: number;

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'stileward-office-'));
	office = await openSqliteOffice(join(dir, 'office.db'));
	now = Date.UTC(2026, 10, 22);
	operators = createOperators({ office, nowMs: () => now });
	await operators.put(mina);
});
afterEach(async () => {
	await office.close();
	await rm(dir, { recursive: true, force: true });
});

function login(over: Partial<Parameters<Operators['login']>[0]> = {}) {
	return operators.login({ venue: 'harbor', name: 'mina', password, address: '192.0.2.1', ...over });
}

async function tokenOf(attempt: ReturnType<typeof login>): Promise<string> {
	const session = await attempt;
	if (session.kind !== 'session') throw new Error(session.kind);
	return session.token;
}

describe('operators', () => {
	it('signs in with the right password only, at the right venue', async () => {
		const token = await tokenOf(login());
		expect(await operators.operatorOf(token)).toMatchObject({ venue: 'harbor', name: 'mina', role: 'administrator' });
		expect(await operators.operatorOf(`${token}x`)).toBeUndefined();
		expect((await login({ password: `${password} ` })).kind).toBe('refused');
		expect((await login({ name: 'nobody' })).kind).toBe('refused');
		expect((await login({ venue: 'castle' })).kind).toBe('refused');
	});

	it('keeps neither passwords nor tokens in the clear', async () => {
		const token = await tokenOf(login());
		const files = await Promise.all(['office.db', 'office.db-wal'].map((name) => readFile(join(dir, name), 'latin1')));
		expect(files.join('')).toContain('scrypt$32768$8$1$');
		expect(files.join('')).not.toContain(password);
		expect(files.join('')).not.toContain(token);
	});

	it('ends a session after its time, at logout and with a new password', async () => {
		const [first, second, third] = [await tokenOf(login()), await tokenOf(login()), await tokenOf(login())];
		await operators.logout(first);
		expect(await operators.operatorOf(first)).toBeUndefined();
		expect(await operators.operatorOf(second)).toBeDefined();
		now += sessionMs;
		expect(await operators.operatorOf(second)).toBeUndefined();
		now -= sessionMs;
		await operators.put({ ...mina, password: 'another password' });
		expect(await operators.operatorOf(third)).toBeUndefined();
		expect((await login()).kind).toBe('refused');
	});

	it('makes a guesser wait, and not the operator at another address', async () => {
		for (let guess = 0; guess < 5; guess += 1) expect((await login({ password: 'guess' })).kind).toBe('refused');
		expect(await login()).toMatchObject({ kind: 'busy', retryMs: 30_000 });
		expect((await login({ address: '192.0.2.2' })).kind).toBe('session');
		now += 30_000;
		expect((await login()).kind).toBe('session');
	});

	it('checks few passwords at once, so that guesses cannot take the memory or slip through together', async () => {
		const answers = await Promise.all(Array.from({ length: 20 }, () => login({ password: 'guess' })));
		const kinds = answers.map(({ kind }) => kind);
		expect(kinds.filter((kind) => kind === 'refused').length).toBeLessThanOrEqual(5);
		expect(kinds).not.toContain('session');
	});

	it('refuses names and passwords that nobody should have', async () => {
		await expect(operators.put({ ...mina, name: 'Mina M' })).rejects.toMatchObject({ code: 'usage' });
		await expect(operators.put({ ...mina, password: 'short' })).rejects.toMatchObject({ code: 'usage' });
	});

	it('keeps the audit of a venue apart, the newest first', async () => {
		const row = { venue: 'harbor', atMs: now, operator: 'mina', act: 'order.refund', subject: 'A-1', request: 'r1' };
		await office.addAudit(row);
		await office.addAudit({ ...row, subject: 'A-2' });
		await office.addAudit({ ...row, venue: 'castle' });
		expect((await office.audit('harbor', 10)).map(({ subject }) => subject)).toEqual(['A-2', 'A-1']);
		expect(await office.audit('harbor', 1)).toEqual([{ ...row, subject: 'A-2' }]);
	});
});
