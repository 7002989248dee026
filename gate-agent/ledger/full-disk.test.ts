import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RedemptionId } from '../core/redemption.ts';
import { once, requestOf } from '../core/testing/one-ticket-each.ts';
import { openSqliteLedger } from './sqlite-ledger.ts';
import { programPath } from './testing/child.ts';

let dir: string;
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), 'full-disk-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A mount namespace needs root, or a kernel that lets a user be root inside a namespace. */
const namespaces = [
	['unshare', '--mount'],
	['unshare', '--map-root-user', '--mount'],
].find(([command = '', ...args]) => {
	const { status } = spawnSync(command, [...args, 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]);
	return status === 0;
});
if (namespaces === undefined) {
	console.warn(
		'FULL-DISK TEST ON A REAL FILE SYSTEM NOT RUN: this user may not mount. The size limit of the file stands in for it. ' +
			'Run it with: sudo node node_modules/vitest/vitest.mjs run gate-agent/ledger/full-disk.test.ts',
	);
}

test.skipIf(namespaces === undefined)('a full disk grants nothing, and space alone makes the ledger work again', () => {
	const [command = '', ...args] = namespaces ?? [];
	const program = [process.execPath, programPath('full-disk.ts'), dir];
	const told = JSON.parse(execFileSync(command, [...args, ...program], { encoding: 'utf8' }));
	expect(told).toMatchObject({
		before: ['granted'],
		full: ['ledger_full', 'ledger_full', 'ledger_full', 'denied'],
		whileFull: { state: 'ledger_full', granted: false },
		after: ['granted', 'denied', 'granted', 'ok'],
	});
	expect(told.log).toContain('ledger_fault');
	expect(told.log).toContain('denials_waiting');
	expect(told.log).not.toContain('ledger_set_aside');
});

test('a ledger at its size limit grants nothing and takes up again where it may grow', async () => {
	const options = { dir, device: 'gate-1', newEpoch: () => 'epoch-1', log: () => undefined, verifyAtStart: false };
	const small = (await openSqliteLedger({ ...options, maxBytes: 256 * 1024 })).ledger;
	const ask = async (idx: number) => (await small.redeem(requestOf(idx), once)).kind;
	let granted = 0;
	let refusal: unknown;
	while (refusal === undefined && granted < 10_000) {
		await ask(granted).then(
			() => {
				granted += 1;
			},
			(error: unknown) => {
				refusal = error;
			},
		);
	}
	expect(refusal).toMatchObject({ code: 'ledger_full' });
	expect(granted).toBeGreaterThan(50);
	await expect(ask(granted)).rejects.toMatchObject({ code: 'ledger_full' });
	expect(await small.openGrants()).toHaveLength(granted);
	await small.close();

	const large = (await openSqliteLedger(options)).ledger;
	expect(await large.redeem(requestOf(granted), once)).toMatchObject({ kind: 'granted' });
	const again = { ...requestOf(0), redemptionId: 'again' as RedemptionId };
	expect(await large.redeem(again, once)).toMatchObject({ kind: 'denied' });
	await large.close();
});
