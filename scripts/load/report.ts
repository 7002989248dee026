import { claimBudgetMs } from '../../sync/client/claimer.ts';
import { type Figure, keepsBudget, percentile, tableOf } from '../bench/figures.ts';
import type { CrowdResult, Spread } from './crowd.ts';
import { type Problem, problemKinds } from './judge.ts';
import type { Peak } from './peak.ts';
import type { Kind } from './plan.ts';

/** What a claim's answer may take, where the visitor waits for it. */
const claimMs: Readonly<Record<Kind, number>> = { handheld: claimBudgetMs.wifi, lane: claimBudgetMs.wired };

/** From an admission until another device knows of it: the venue's budget for two gates. */
const feedBudgetMs = 100;

/** Lines of one kind of problem that people read; the rest is counted. */
const problemsShownMax = 3;

/** A peak as figures. */
export function figuresOf({ scans, crowds, seconds, settledMs, cpuSeconds, cpuGrowth }: Peak): readonly Figure[] {
	const claims = crowds.flatMap(({ visits }) => visits.flatMap((visit) => visit.claims)).length;
	const rows = crowds.flatMap(({ journals }) => journals).reduce((sum, journal) => sum + journal.rows, 0);
	const bench = 'venue';
	return [
		...crowds.flatMap(figuresOfCrowd),
		{ bench, what: 'first scan to last verdict', value: seconds, unit: 's' },
		{ bench, what: 'claims a second', value: claims / seconds, unit: '1/s' },
		{ bench, what: 'rows pushed', value: rows, unit: '' },
		{ bench, what: 'everything at the centre after the last verdict', value: settledMs / 1_000, unit: 's' },
		...Object.entries(cpuSeconds).map(([name, used]): Figure => {
			return { bench, what: `CPU of the ${name} for a scan`, value: (used * 1_000) / scans.length, unit: 'ms' };
		}),
		...['hub', 'centre'].flatMap((name): Figure[] => {
			const value = cpuGrowth[name];
			const what = `CPU of the ${name}, later half over earlier`;
			return value === undefined || !Number.isFinite(value) ? [] : [{ bench, what, value, unit: '×' }];
		}),
	];
}

function figuresOfCrowd({ kind, visits, journals, feed, late }: CrowdResult): readonly Figure[] {
	const bench = `${journals.length} ${kind}s`;
	const claims = visits.flatMap((visit) => visit.claims).map(({ tookMs }) => tookMs);
	const refused = visits.filter(({ outcome }) => outcome.kind === 'refused');
	const atOnce = refused.filter((visit) => visit.claims.length === 0).length;
	const admissions = visits.filter(({ outcome }) => outcome.kind === 'granted').map(({ tookMs }) => tookMs);
	return [
		{ bench, what: 'scans', value: visits.length, unit: '' },
		{ bench, what: 'admitted', value: admissions.length, unit: '' },
		{ bench, what: 'shown elsewhere before, refused by the device itself', value: atOnce, unit: '' },
		{ bench, what: 'shown elsewhere before, refused by the hub', value: refused.length - atOnce, unit: '' },
		...figuresOfSpread({ bench, what: 'claim', spread: spreadOf(claims), p99Max: claimMs[kind] }),
		...figuresOfSpread({ bench, what: 'whole admission', spread: spreadOf(admissions) }),
		...figuresOfSpread({ bench, what: 'passage known at another device', spread: feed, p99Max: feedBudgetMs }),
		...figuresOfSpread({ bench, what: 'the load process itself was late', spread: late }),
	];
}

function spreadOf(samples: readonly number[]): Spread {
	if (samples.length === 0) return { count: 0, p50: 0, p99: 0, max: 0 };
	const [p50, p99, max] = [percentile(samples, 0.5), percentile(samples, 0.99), percentile(samples, 1)];
	return { count: samples.length, p50, p99, max };
}

/** Something that took time, often. */
interface Timed {
	readonly bench: string;
	readonly what: string;
	readonly spread: Spread;
	readonly p99Max?: number;
}

function figuresOfSpread({ bench, what, spread, p99Max }: Timed): readonly Figure[] {
	if (spread.count === 0) return [];
	const budget = p99Max === undefined ? {} : { budget: p99Max };
	return [
		{ bench, what: `${what}: p50`, value: spread.p50, unit: 'ms' },
		{ bench, what: `${what}: p99`, value: spread.p99, unit: 'ms', ...budget },
		{ bench, what: `${what}: most`, value: spread.max, unit: 'ms' },
	];
}

/** A peak for people. */
export function textOf(peak: Peak): string {
	const figures = figuresOf(peak);
	const missed = figures.filter((figure) => keepsBudget(figure) === false).length;
	const budgets = missed === 0 ? 'all budgets kept' : `${missed} budgets missed`;
	return [tableOf(figures), '', ...verdictOf(peak.problems), ...excuseOf(peak), budgets].join('\n');
}

/** A claim may be late because of the load itself. */
function excuseOf({ crowds, problems }: Peak): readonly string[] {
	const slow = crowds.filter(({ kind, late }) => late.max > claimMs[kind]);
	if (slow.length === 0 || !problems.some(({ kind }) => kind === 'out_of_reach')) return [];
	const mostMs = Math.max(...slow.map(({ late }) => late.max));
	return [`the load itself was late by up to ${mostMs.toFixed(0)} ms: try again on a machine with nothing else to do`];
}

/** What went wrong, by kind: where there was a cause, hundreds of things may follow from it. */
function verdictOf(problems: readonly Problem[]): readonly string[] {
	if (problems.length === 0) {
		return ['every ticket went in once and is at the centre once, no case, the authority was always in reach'];
	}
	return [...Map.groupBy(problems, ({ kind }) => kind)].flatMap(([kind, all]) => {
		const shown = all.slice(0, problemsShownMax).map(({ text }) => `    ${text}`);
		const more = all.length > shown.length ? [`    and ${all.length - shown.length} more`] : [];
		return [`${kind === 'out_of_reach' ? 'MISS' : '✗'} ${problemKinds[kind]}: ${all.length}`, ...shown, ...more];
	});
}
