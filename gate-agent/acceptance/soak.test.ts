import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listRows, type RunningGate, residentBytes, startGate, stileward, until } from './gate.suite.ts';
import { setUpWorld, type World } from './nemesis-world.suite.ts';

/** Admissions of the long form; in the short one enough to see a leak of a file or of a row's size. */
const admissions = Number(process.env.STILEWARD_SOAK ?? (Number(process.env.STILEWARD_NIGHT ?? 0) > 0 ? 2_000 : 60));
const warmUp = Math.min(200, Math.floor(admissions / 3));
/** What the last quarter may hold more than the first one after the warm-up: garbage of V8 that waits. */
const growthBytesMax = 8 * 1024 * 1024;
const walBytesMax = 8 * 1024 * 1024;

const none = { single: 0, three: 0, group: 0, annual: 0, forged: 0, expired: 0, revoked_key: 0, unknown_key: 0 };

interface Sample {
	readonly resident: number;
	readonly files: number;
	readonly wal: number;
}

/** What the gate holds now. */
function sample(gate: RunningGate, { data }: World): Sample {
	const wal = readdirSync(data).filter((name) => name.endsWith('-wal'));
	return {
		resident: residentBytes(gate.pid),
		files: readdirSync(`/proc/${gate.pid}/fd`).length,
		wal: wal.reduce((sum, name) => sum + statSync(join(data, name)).size, 0),
	};
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const megabytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);

it(
	`holds no more after ${admissions} admissions back to back than after the first`,
	async () => {
		const world = await setUpWorld('lcus', { ...none, single: admissions });
		const gate = startGate([...world.sets, 'lanes.0.relay.pulseMs=50'], { config: world.config });
		await gate.ready();
		const samples: Sample[] = [];
		let opened = 0;
		world.onClosing.add(() => {
			opened += 1;
		});
		for (let nth = 0; nth < admissions; nth += 1) {
			await world.scanner.write(`${world.codeOf({ kind: 'single', nth })}\r`);
			await until(`opening ${nth + 1}`, () => opened === nth + 1, 3_000);
			if (nth % 10 === 9) samples.push(sample(gate, world));
		}
		const steady = samples.slice(Math.floor(warmUp / 10));
		const quarter = Math.max(1, Math.floor(steady.length / 4));
		const [early, late] = [steady.slice(0, quarter), steady.slice(-quarter)];
		const growth = median(late.map(({ resident }) => resident)) - median(early.map(({ resident }) => resident));
		const curve = samples.filter((_, index) => index % Math.ceil(samples.length / 20) === 0);
		console.log(
			`resident MB: ${curve.map(({ resident }) => megabytes(resident)).join(' ')}; growth ${megabytes(growth)}`,
		);
		console.log(
			`files: ${curve.map(({ files }) => files).join(' ')}; WAL KB: ${curve.map(({ wal }) => wal >> 10).join(' ')}`,
		);
		expect(growth).toBeLessThan(growthBytesMax);
		expect(Math.max(...late.map(({ files }) => files))).toBeLessThanOrEqual(
			Math.max(...early.map(({ files }) => files)),
		);
		expect(Math.max(...samples.map(({ wal }) => wal))).toBeLessThan(walBytesMax);
		expect(await gate.stop()).toBe(0);
		await stileward('ledger', 'verify', '--data', world.data);
		const rows = await listRows(world.data);
		expect(rows.filter(({ kind }) => kind === 'granted')).toHaveLength(admissions);
		expect(rows.filter(({ kind }) => kind === 'settled')).toHaveLength(admissions);
	},
	admissions * 1_000 + 60_000,
);
