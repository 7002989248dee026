import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import type { Session } from '../../sync/client/session.ts';
import type { Transport } from '../../sync/client/transport.ts';
import { measurePackage } from '../../sync/node/package-file.ts';
import { addressOf } from '../../sync/protocol/paths.ts';
import { StilewardError } from '../core/errors.ts';
import { openRelease, type Release } from '../core/release.ts';

/** How the server is asked for packages. */
export interface PackageSource {
	readonly session: Pick<Session, 'call' | 'token'>;
	readonly transport: Transport;
	readonly rootKey: JWK;
	readonly arch: Release['arch'];
	/** Folder that packages are kept in. */
	readonly dir: string;
	readonly signal: AbortSignal;
}

/** A package that is here, whole, and what vouches for it. */
export interface FetchedPackage {
	readonly release: string;
	/** Name within the folder. */
	readonly file: string;
}

const callMs = 15_000;

/** A package of 60 MB over a slow line; what is here by then stays, and the next try goes on from there. */
const fetchMs = 600_000;

/**
 * Fetches a version, or finds it here. Resolves once it is whole and is what the root key has signed. Rejects with
 * `server_unreachable` and `server_refused`, `release_invalid`, `package_invalid`, `output_failed`.
 */
export async function fetchPackage(source: PackageSource, version: string): Promise<FetchedPackage> {
	const { session, rootKey, arch, dir, signal } = source;
	const answer = await session.call('release', { version, arch }, { timeoutMs: callMs, signal });
	if (answer.kind === 'refused') {
		throw new StilewardError('server_refused', `the server has no version ${version} for ${arch} (${answer.code})`);
	}
	if (answer.kind !== 'ok') throw unreachable(answer.kind);
	const { release: jws } = answer.body;
	const release = await openRelease(jws, rootKey);
	if (release.version !== version || release.arch !== arch) {
		throw new StilewardError('release_invalid', 'the server gave the release of another package');
	}
	const file = `${release.sha256}.deb`;
	const found = await stat(join(dir, file)).catch(() => undefined);
	if (found?.size !== release.bytes) await download(source, release, file);
	return { release: jws, file };
}

async function download(source: PackageSource, release: Release, file: string): Promise<void> {
	const { dir } = source;
	const part = join(dir, `${file}.part`);
	await receive(source, release, part);
	const facts = await measurePackage(part);
	if (facts.bytes < release.bytes) throw unreachable('it broke off');
	if (facts.sha256 !== release.sha256 || facts.bytes !== release.bytes) {
		await rm(part, { force: true });
		throw new StilewardError('package_invalid', `what came is not version ${release.version}`);
	}
	await rename(part, join(dir, file));
}

/** Writes what comes behind what is here, and never more than was signed. */
async function receive({ session, transport, signal }: PackageSource, release: Release, part: string): Promise<void> {
	const { sha256, bytes } = release;
	const token = await session.token(signal);
	if (token.kind !== 'ok') throw unreachable(token.kind);
	const here = (await stat(part).catch(() => undefined))?.size ?? 0;
	if (here >= bytes) return;
	const target = await openPart(part);
	try {
		const answer = await transport.open?.({
			method: 'GET',
			path: addressOf('package', { sha256 }),
			headers: { authorization: `Bearer ${token.body}`, ...(here > 0 && { range: `bytes=${here}-` }) },
			timeoutMs: fetchMs,
			signal: AbortSignal.any([signal, AbortSignal.timeout(fetchMs)]),
		});
		if (answer?.status !== 200 && answer?.status !== 206) throw unreachable(`status ${answer?.status ?? 'unknown'}`);
		let at = answer.status === 206 ? here : 0;
		for await (const chunk of answer.chunks) {
			if (at + chunk.length > bytes) throw new StilewardError('package_invalid', 'more came than was signed');
			await target.write(chunk, 0, chunk.length, at);
			at += chunk.length;
		}
		await target.truncate(at);
		await target.sync();
	} catch (error) {
		if (error instanceof StilewardError) throw error;
		throw unreachable(error instanceof Error ? error.message : String(error));
	} finally {
		await target.close();
	}
}

async function openPart(part: string) {
	try {
		// Not cut: the next try goes on where this one ends.
		return await open(part, 'r+').catch(() => open(part, 'w+', 0o600));
	} catch (cause) {
		throw new StilewardError('output_failed', `${part} cannot be written`, { cause });
	}
}

function unreachable(why: string): StilewardError {
	return new StilewardError('server_unreachable', `the package could not be fetched: ${why}`);
}
