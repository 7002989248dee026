import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { WorldFigures, WorldResult } from './run-world.ts';
import { runWorlds } from './worlds.ts';

const usage = `npm run simulate -- [--worlds N] [--seed S] [--story] [--json] [--workers K]

Runs N small worlds (default 100), with the seeds S, S+1, … (default 1), and looks for what must never happen.

  --story     prints what happened in each world, also where nothing is wrong
  --json      prints one JSON document instead of text
  --workers   processes at once; default: one for each processor

A world is the same for the same seed: npm run simulate -- --worlds 1 --seed S --story
`;

const { values } = parseArgs({
	options: {
		worlds: { type: 'string', default: '100' },
		seed: { type: 'string', default: '1' },
		workers: { type: 'string', default: `${availableParallelism()}` },
		story: { type: 'boolean', default: false },
		json: { type: 'boolean', default: false },
		help: { type: 'boolean', default: false },
	},
});

const numbers = [values.worlds, values.seed, values.workers].map(Number);
const [count = 0, firstSeed = 0, workers = 0] = numbers;
const isWrong = numbers.some((number) => !Number.isSafeInteger(number) || number < 1);
if (values.help || isWrong) {
	process.stdout.write(usage);
	process.exit(values.help ? 0 : 2);
}

/** Stories of broken worlds that are printed; each is some hundred lines. */
const storiesMax = 3;

const startedMs = performance.now();
const results: WorldResult[] = [];
const isTerminal = process.stderr.isTTY === true;
await runWorlds({
	firstSeed,
	count,
	workers,
	wantsStories: values.story,
	onWorld: (result) => {
		results.push(result);
		if (!values.json) tellWorld(result);
		if (isTerminal) process.stderr.write(`\r${progress()}`);
	},
});
results.sort((a, b) => a.seed - b.seed);
const broken = results.filter(({ violations }) => violations.length > 0);
if (isTerminal) process.stderr.write('\n');
process.stdout.write(values.json ? `${JSON.stringify(documentOf())}\n` : `${summary()}\n`);
process.exitCode = broken.length === 0 ? 0 : 1;

function progress(): string {
	const seconds = (performance.now() - startedMs) / 1000;
	const found = results.filter(({ violations }) => violations.length > 0).length;
	return `${results.length}/${count} worlds, ${found} broken, ${(results.length / seconds).toFixed(1)}/s`;
}

/** Tells a world that was asked for, or that broke. */
function tellWorld({ seed, violations, story, storyHash }: WorldResult): void {
	const stories = results.filter((result) => result.violations.length > 0).length;
	const isTold = values.story || (violations.length > 0 && stories <= storiesMax);
	if (!isTold && violations.length === 0) return;
	const lines = isTold ? (story ?? []) : [];
	const found = violations.map(({ invariant, what }) => `  ${invariant}: ${what}`);
	const replay = violations.length > 0 ? [`  again: npm run simulate -- --worlds 1 --seed ${seed} --story`] : [];
	const title = `world ${seed}${violations.length > 0 ? ' is broken' : ''}, story ${storyHash.slice(0, 16)}`;
	process.stdout.write(`${isTerminal ? '\n' : ''}${[title, ...lines, ...found, ...replay].join('\n')}\n\n`);
}

function figuresOf(): WorldFigures {
	const sum = (name: keyof WorldFigures) => results.reduce((total, { figures }) => total + figures[name], 0);
	return {
		virtualMs: sum('virtualMs'),
		visits: sum('visits'),
		passages: sum('passages'),
		doubles: sum('doubles'),
		crashes: sum('crashes'),
	};
}

function summary(): string {
	const { virtualMs, visits, passages, doubles, crashes } = figuresOf();
	const seconds = (performance.now() - startedMs) / 1000;
	const head = `${results.length} worlds from seed ${firstSeed} in ${seconds.toFixed(0)} s`;
	const happened = `${(virtualMs / 3_600_000).toFixed(1)} h of their time, ${visits} visits, ${passages} passages, ${crashes} power cuts, ${doubles} double entries found`;
	const verdict =
		broken.length === 0
			? 'every invariant held'
			: `${broken.length} broken: ${broken.map(({ seed }) => seed).join(', ')}`;
	return `${head}: ${happened}\n${verdict}`;
}

function documentOf() {
	return {
		worlds: results.length,
		seed: firstSeed,
		figures: figuresOf(),
		broken: broken.map(({ seed, violations, story }) => ({ seed, violations, story })),
		stories: results.map(({ seed, storyHash, story }) => ({ seed, storyHash, ...(values.story && { story }) })),
	};
}
