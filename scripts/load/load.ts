import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../bench/venue.ts';
import { runPeak } from './peak.ts';
import { figuresOf, textOf } from './report.ts';

const usage = `npm run load -- [--seconds N] [--handhelds N] [--lanes N] [--seed S] [--json]

A venue at its peak against one hub: every device is a whole client, and one scan in twenty shows a ticket that was
shown elsewhere before. Ends with 1 where a ticket went in twice or was refused wrongly, where the centre does not have
each admission once, where a case was invented, or where the authority was out of reach of anybody. A budget of time
that was missed is printed as MISS.

  --seconds     how long people come, from 6 on (60)
  --handhelds   staff handhelds, one scan per 2 s each (60)
  --lanes       lanes, one scan per 6 s each (50)
  --seed        who shows what where: the same seed, the same people (1)
  --json        prints one JSON document instead of text

  npm run load                                        # as before each release
  npm run load -- --seconds 600 --seed 7              # ten minutes, other people
  npm run load -- --seconds 20 --handhelds 5 --lanes 0 --json
`;

const { values } = parseArgs({
	options: {
		seconds: { type: 'string', default: '60' },
		handhelds: { type: 'string', default: '60' },
		lanes: { type: 'string', default: '50' },
		seed: { type: 'string', default: '1' },
		json: { type: 'boolean', default: false },
		help: { type: 'boolean', default: false },
	},
});

/** Each device has a scan in it. */
const secondsMin = 6;

const sizes = { seconds: values.seconds, handhelds: values.handhelds, lanes: values.lanes, seed: values.seed };
const [seconds = 0, handhelds = 0, lanes = 0, seed = 0] = Object.values(sizes).map(Number);
const isWrong =
	[seconds, handhelds, lanes, seed].some((each) => !Number.isSafeInteger(each) || each < 0) ||
	seconds < secondsMin ||
	handhelds + lanes < 1;
if (values.help || isWrong) {
	process.stdout.write(usage);
	process.exit(values.help ? 0 : 2);
}

mkdirSync(join(root, 'var'), { recursive: true });
// Beside the code, on a disk and not in memory.
const dir = mkdtempSync(join(root, 'var', 'load-'));
try {
	const say = (line: string) => process.stderr.write(`load: ${line}\n`);
	const peak = await runPeak({ dir, say, seconds, handhelds, lanes, seed });
	const { problems } = peak;
	const size = { seconds, handhelds, lanes, seed };
	const text = values.json ? JSON.stringify({ ...size, figures: figuresOf(peak), problems }) : textOf(peak);
	process.stdout.write(`${text}\n`);
	if (!values.json) process.stdout.write(`again: npm run load -- ${wordsOf(size)}\n`);
	// Out of reach is a missed budget: a machine that bears devices, hub and centre at once may be too slow for it.
	process.exitCode = problems.every(({ kind }) => kind === 'out_of_reach') ? 0 : 1;
} finally {
	rmSync(dir, { recursive: true, force: true });
}

function wordsOf(size: Readonly<Record<string, number>>): string {
	return Object.entries(size)
		.map(([name, value]) => `--${name} ${value}`)
		.join(' ');
}
