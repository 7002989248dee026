import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { claimedDecision } from './claimed-decision.ts';
import { claims } from './claims.ts';
import { coldStart } from './cold-start.ts';
import { decision } from './decision.ts';
import { drain } from './drain.ts';
import { type Bench, type Figure, keepsBudget, tableOf } from './figures.ts';
import { ingest } from './ingest.ts';
import { memory } from './memory.ts';
import { newDevice } from './new-device.ts';
import { propagation } from './propagation.ts';
import { pty } from './pty.ts';
import { root } from './venue.ts';
import { wear } from './wear.ts';

const benches: Readonly<Record<string, Bench>> = {
	decision,
	'claimed-decision': claimedDecision,
	pty,
	'cold-start': coldStart,
	memory,
	claims,
	propagation,
	'new-device': newDevice,
	drain,
	ingest,
	wear,
};

const usage = `npm run bench -- [--only NAME] [--json FILE] [--quick]

  --only NAME   one of: ${Object.keys(benches).join(', ')} (repeatable)
  --json FILE   writes the figures, with their budgets, as JSON
  --quick       few rounds: proves that the measurements run, their figures mean little
`;

const { values } = parseArgs({
	options: {
		only: { type: 'string', multiple: true },
		json: { type: 'string' },
		quick: { type: 'boolean', default: false },
		help: { type: 'boolean', default: false },
	},
});

const names = values.only ?? Object.keys(benches);
if (values.help || names.some((name) => !(name in benches))) {
	process.stdout.write(usage);
	process.exit(values.help ? 0 : 2);
}

const { figures, failed } = await measure(names, values.quick);
const machine = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model ?? '', quick: values.quick };
process.stdout.write(`\n${tableOf(figures)}\n`);
process.stdout.write(`\nNode ${machine.node}, ${machine.cpus} × ${machine.cpu}${values.quick ? ', quick' : ''}\n`);
const missed = figures.filter((figure) => keepsBudget(figure) === false).length;
process.stdout.write(missed === 0 ? 'all budgets kept\n' : `${missed} budgets missed\n`);
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, figures, failed }, null, 2)}\n`);
// A missed budget is a figure to read, a measurement that broke is an error.
process.exitCode = failed.length === 0 ? 0 : 1;

/** Runs measurements one after the other, each in a folder of its own beside the code, on a disk and not in memory. */
async function measure(wanted: readonly string[], quick: boolean) {
	const figures: Figure[] = [];
	const failed: string[] = [];
	mkdirSync(join(root, 'var'), { recursive: true });
	for (const name of wanted) {
		const dir = mkdtempSync(join(root, 'var', `bench-${name}-`));
		const say = (line: string) => process.stderr.write(`${name}: ${line}\n`);
		try {
			figures.push(...((await benches[name]?.({ dir, quick, say })) ?? []));
		} catch (error) {
			failed.push(name);
			say(error instanceof Error ? (error.stack ?? error.message) : String(error));
		} finally {
			rmSync(dir, { recursive: true, force: true });
		}
	}
	return { figures, failed };
}
