import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import Type from 'typebox';
import { Check } from 'typebox/value';
import { copyPackage } from '../../sync/node/package-file.ts';
import { StilewardError } from '../core/errors.ts';
import { compareVersions, type Release } from '../core/release.ts';
import { publicMode, replaceKeyFile } from '../keys/key-files.ts';
import {
	type Attempt,
	type AttemptRecord,
	applyUpdate,
	endInterrupted,
	type Machine,
	type UpdateOutcome,
} from './apply-update.ts';
import { claimedVersion, openRequest, requestFile, resultFile } from './update-request.ts';

/** What the updater works with. It runs as root, the gate does not: nothing below `requests` is trusted. */
export interface UpdaterOptions {
	/** Where the gate leaves its request and the packages. */
	readonly requests: string;
	/** A folder that only root may write to: copies of packages, how far it is, how it ended. */
	readonly state: string;
	readonly rootKey: JWK;
	readonly installed: string;
	readonly arch: Release['arch'];
	readonly machine: Machine;
}

/** Nothing was touched. */
interface Refused {
	readonly kind: 'refused';
	readonly version?: string;
	readonly why: string;
}

const attemptFile = 'attempt.json';
const newestFile = 'newest';

const attemptSchema = Type.Object({
	version: Type.String(),
	back: Type.Object({ version: Type.String(), file: Type.String() }),
	working: Type.Array(Type.String()),
});

/**
 * Ends an update that was interrupted, or else does what the gate asks for; undefined where it asks for nothing. The
 * request is gone afterwards, whatever came of it. Throws `release_invalid`, `package_invalid` and `update_impossible`
 * where nothing was touched.
 */
export async function runUpdater(options: UpdaterOptions): Promise<UpdateOutcome | undefined> {
	const { requests, state, machine } = options;
	await mkdir(state, { recursive: true, mode: 0o755 });
	const record = attemptRecord(state);
	const interrupted = await readAttempt(state);
	if (interrupted !== undefined) return told(state, await endInterrupted(interrupted, machine, record));
	const text = await readIfThere(join(requests, requestFile));
	if (text === undefined) return undefined;
	try {
		return await told(state, await apply(options, text, record));
	} catch (error) {
		if (error instanceof StilewardError) {
			const version = claimedVersion(text);
			await tell(state, { kind: 'refused', why: error.message, ...(version !== undefined && { version }) });
		}
		throw error;
	} finally {
		await rm(join(requests, requestFile), { force: true });
	}
}

async function apply(options: UpdaterOptions, text: string, record: AttemptRecord): Promise<UpdateOutcome> {
	const { requests, state, machine, ...facts } = options;
	const newest = await readNewest(state, facts.installed);
	const request = await openRequest(text, { ...facts, newest });
	const own = { next: join(state, 'next.deb'), back: join(state, 'back.deb') };
	await copyPackage(join(requests, request.next.file), own.next, request.next.release);
	await copyPackage(join(requests, request.back.file), own.back, request.back.release);
	const next = { ...request.next, file: own.next };
	const outcome = await applyUpdate({ next, back: { ...request.back, file: own.back } }, machine, record);
	if (outcome.kind === 'installed') await write(state, newestFile, `${outcome.version}\n`);
	return outcome;
}

/** A version that was installed by hand counts as well. */
async function readNewest(state: string, installed: string): Promise<string> {
	const text = (await readIfThere(join(state, newestFile)))?.trim();
	return text !== undefined && compareVersions(text, installed) > 0 ? text : installed;
}

async function told(state: string, outcome: UpdateOutcome): Promise<UpdateOutcome> {
	await tell(state, outcome);
	return outcome;
}

function tell(state: string, result: UpdateOutcome | Refused): Promise<void> {
	return write(state, resultFile, `${JSON.stringify(result)}\n`);
}

function attemptRecord(state: string): AttemptRecord {
	return {
		write: (attempt) => write(state, attemptFile, JSON.stringify(attempt)),
		clear: () => rm(join(state, attemptFile), { force: true }),
	};
}

async function readAttempt(state: string): Promise<Attempt | undefined> {
	const text = await readIfThere(join(state, attemptFile));
	if (text === undefined) return undefined;
	const value: unknown = JSON.parse(text);
	// Only this program writes it, in one step.
	if (!Check(attemptSchema, value)) throw new Error(`assertion failed: ${join(state, attemptFile)} is no attempt`);
	return value;
}

function write(dir: string, file: string, text: string): Promise<void> {
	return replaceKeyFile(dir, { file, text, mode: publicMode });
}

async function readIfThere(path: string): Promise<string | undefined> {
	try {
		return await readFile(path, 'utf8');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
		throw error;
	}
}
