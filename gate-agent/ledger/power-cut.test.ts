import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openSqliteLedger } from './sqlite-ledger.ts';
import { type Child, programPath, startProgram } from './testing/child.ts';

/*
 * A power cut, without the luck of a real one: the ledger lies in an ext4 file system inside a file. Once the program
 * has acknowledged its redemptions it is stopped (SIGSTOP) and the file is copied. The copy holds exactly what was given
 * to the block device; what only the page cache knew is not in it. The copy is mounted and opened by the real ledger.
 */

const base = mkdtempSync(join(tmpdir(), 'power-cut-'));
const missing = whatIsMissing();
if (missing !== undefined) {
	// Where every test is skipped no `afterAll` runs.
	rmSync(base, { recursive: true, force: true });
	console.warn(
		`POWER-CUT TEST NOT RUN: ${missing}. Run it with: sudo node node_modules/vitest/vitest.mjs run gate-agent/ledger/power-cut.test.ts`,
	);
}
afterAll(() => rmSync(base, { recursive: true, force: true }));

const redemptions = 400;

test.skipIf(missing !== undefined)(
	`every acknowledged redemption survives a power cut${missing === undefined ? '' : ` (not run: ${missing})`}`,
	async () => {
		const { acknowledged, disk } = await cutPower('ledger', 'redeem-loop.ts', ['0', String(redemptions)]);
		try {
			const { ledger, setAside } = await openSqliteLedger({
				...{ dir: join(disk.path, 'data'), device: 'gate-1', newEpoch: () => 'another-epoch', log: () => undefined },
			});
			expect(setAside).toBeUndefined();
			expect(await ledger.verified).toMatchObject({ ok: true, problems: [] });
			const granted = (await ledger.rows(0, 10_000)).flatMap((row) => (row.kind === 'granted' ? [row.ticket] : []));
			expect(granted).toEqual(acknowledged.map((idx) => `lantern-2026/${idx}`));
			expect(await ledger.openGrants()).toHaveLength(Math.ceil(redemptions / 3));
			await ledger.close();
		} finally {
			disk.unmount();
		}
	},
	60_000,
);

test.skipIf(missing !== undefined)(
	`the control, synchronous=NORMAL, loses acknowledged rows${missing === undefined ? '' : ` (not run: ${missing})`}`,
	async () => {
		const { acknowledged, disk } = await cutPower('control', 'normal-loop.ts', [String(redemptions)]);
		try {
			// A program of its own, as SQLite would be here after the restart.
			const count = execFileSync(process.execPath, [programPath('normal-loop.ts'), join(disk.path, 'data')], {
				encoding: 'utf8',
			});
			expect(acknowledged).toHaveLength(redemptions);
			expect(Number(count)).toBeLessThan(redemptions);
		} finally {
			disk.unmount();
		}
	},
	60_000,
);

interface Disk {
	readonly path: string;
	unmount(): void;
}

async function cutPower(
	name: string,
	program: string,
	args: readonly string[],
): Promise<{ acknowledged: number[]; disk: Disk }> {
	const image = join(base, `${name}.img`);
	execFileSync('truncate', ['-s', '64M', image]);
	execFileSync('mkfs.ext4', ['-q', '-F', image]);
	const before = mount(image, `${name}-before`);
	const folder = join(before.path, 'data');
	mkdirSync(folder);
	execFileSync('sync', ['-f', before.path]);
	const child: Child = startProgram(program, [folder, ...args]);
	try {
		await child.until((lines) => lines.includes('done'));
		child.kill('SIGSTOP');
		copyFileSync(image, join(base, `${name}-cut.img`));
	} finally {
		child.kill('SIGKILL');
		await child.ended;
		before.unmount();
	}
	const acknowledged = child.lines.filter((line) => line !== 'done').map(Number);
	return { acknowledged, disk: mount(join(base, `${name}-cut.img`), `${name}-after`) };
}

function mount(image: string, name: string): Disk {
	const path = join(base, name);
	mkdirSync(path);
	execFileSync('mount', ['-o', 'loop', image, path]);
	return { path, unmount: () => void execFileSync('umount', [path]) };
}

function whatIsMissing(): string | undefined {
	if (process.getuid?.() !== 0) return 'it mounts file systems and needs root';
	const image = join(base, 'probe.img');
	const path = join(base, 'probe');
	mkdirSync(path);
	for (const [command, ...args] of [
		['truncate', '-s', '8M', image],
		['mkfs.ext4', '-q', '-F', image],
		['mount', '-o', 'loop', image, path],
		['umount', path],
	] as const) {
		const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
		if (status !== 0) return `${command} does not work here: ${stderr ?? 'not found'}`.trim();
	}
	return undefined;
}
