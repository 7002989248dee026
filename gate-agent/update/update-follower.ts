import { access, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Check } from 'typebox/value';
import type { UpdateReport } from '../../sync/protocol/release.ts';
import { StilewardError } from '../core/errors.ts';
import { createKeyFolder, publicMode, replaceKeyFile } from '../keys/key-files.ts';
import { fetchPackage, type PackageSource } from './fetch-package.ts';
import { requestFile, resultFile, type UpdateRequest, updateResultSchema } from './update-request.ts';
import { isInWindow, type WantedUpdate, windowBegin } from './update-window.ts';

/** What a gate needs to bring itself to a version. */
export interface UpdateFollowerDeps extends PackageSource {
	readonly wanted: WantedUpdate;
	/** The version that runs. */
	readonly running: string;
	/** Where the updater says how it ended. */
	readonly results: string;
	readonly timeZone: string;
	/** Milliseconds since 1970; undefined while the clock is not trusted. */
	readonly nowMs: () => number | undefined;
	/** Whether somebody is on the way through a lane, or a fire or an emergency holds one. */
	readonly busy: () => boolean;
	readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
	/** Told whenever the report has changed. */
	readonly onReport: (report: UpdateReport) => void;
}

/** How often it is looked whether the moment has come. */
const lookMs = 10_000;

/** How long the server is left alone after it could not give a package. */
const retryMs = 300_000;

const noUpdater = 'nothing has answered yet: is stileward-update.path enabled?';

/** Brings a gate to the wanted version, or says why not, until the signal ends it. Never rejects for what is outside. */
export async function followUpdate(deps: UpdateFollowerDeps): Promise<void> {
	const { signal, sleep, onReport } = deps;
	let told = '';
	let isFetched = false;
	while (!signal.aborted) {
		const { report, waitMs } = await step(deps, isFetched);
		isFetched ||= report.state === 'waiting';
		const text = JSON.stringify(report);
		if (text !== told) onReport(report);
		told = text;
		if (!signal.aborted) await sleep(waitMs, signal);
	}
}

interface Looked {
	readonly report: UpdateReport;
	readonly waitMs: number;
}

/** `isFetched`: a gate that only waits for its hours asks its server nothing until they have come. */
async function step(deps: UpdateFollowerDeps, isFetched: boolean): Promise<Looked> {
	const { wanted, running, dir } = deps;
	const { version } = wanted;
	const state = (report: Omit<UpdateReport, 'version'>, waitMs = lookMs): Looked => ({
		report: { version, ...report },
		waitMs,
	});
	if (version === running) return state({ state: 'installed' });
	const why = await endedBadly(deps);
	if (why !== undefined) return state({ state: 'refused', why });
	try {
		await createKeyFolder(dir);
		if (await isThere(join(dir, requestFile))) return state({ state: 'asked', why: noUpdater });
		const early = isFetched ? reasonToWait(deps) : undefined;
		if (early !== undefined) return state({ state: 'waiting', why: early });
		const request = await fetchBoth(deps);
		const waits = reasonToWait(deps);
		if (waits !== undefined) return state({ state: 'waiting', why: waits });
		await replaceKeyFile(dir, { file: requestFile, text: JSON.stringify(request), mode: publicMode });
		return state({ state: 'asked' });
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return state({ state: 'fetching', why: error.message.slice(0, 400) }, retryMs);
	}
}

/** The version that runs is fetched as well: without a way back nothing is installed. */
async function fetchBoth(deps: UpdateFollowerDeps): Promise<UpdateRequest> {
	const back = await fetchPackage(deps, deps.running);
	const next = await fetchPackage(deps, deps.wanted.version);
	const kept = new Set([back.file, next.file]);
	for (const name of await readdir(deps.dir)) {
		// A card has room for two packages, not for those of all years.
		if (!kept.has(name)) await rm(join(deps.dir, name), { force: true });
	}
	return { next, back };
}

function reasonToWait({ wanted, nowMs, timeZone, busy }: UpdateFollowerDeps): string | undefined {
	const now = nowMs();
	if (now === undefined) return 'the clock is not trusted yet';
	if (!isInWindow(wanted, now, timeZone)) return `until ${windowBegin(wanted)}`;
	return busy() ? 'a lane is in use' : undefined;
}

/** Why the wanted version does not come: it was tried, or refused by the updater. */
async function endedBadly({ results, wanted }: UpdateFollowerDeps): Promise<string | undefined> {
	try {
		const result: unknown = JSON.parse(await readFile(join(results, resultFile), 'utf8'));
		if (!Check(updateResultSchema, result) || result.version !== wanted.version) return undefined;
		return result.kind === 'installed' ? undefined : `${result.kind}: ${result.why}`.slice(0, 400);
	} catch {
		// No update has ended here yet.
		return undefined;
	}
}

function isThere(path: string): Promise<boolean> {
	return access(path).then(
		() => true,
		() => false,
	);
}
