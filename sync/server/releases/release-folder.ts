import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { compareVersions, openRelease, type Release } from '../../../gate-agent/core/release.ts';
import { copyPackage } from '../../node/package-file.ts';
import { makePrivateFolder, publicMode, readIfThere, writeDurably } from '../durable-file.ts';

/** A release whose signature was checked. */
export interface KnownRelease {
	readonly release: Release;
	readonly jws: string;
}

/** The packages that a server has for its gates. */
export interface Releases {
	find(version: string, arch: string): Promise<KnownRelease | undefined>;
	/** The file of a package that a release here vouches for. */
	file(sha256: string): Promise<{ readonly path: string; readonly bytes: number } | undefined>;
	/** The newest first. */
	list(): Promise<readonly KnownRelease[]>;
}

/** Where a server keeps them, in its folder. */
const folderName = 'releases';
const ending = '.release';

/** Opens the packages of a server. What the root key has not signed is as if it were not there. */
export function openReleases(dir: string, rootKey: JWK): Releases {
	const folder = join(dir, folderName);
	const opened = new Map<string, KnownRelease | undefined>();
	const list = async () => {
		const texts = await textsOf(folder);
		for (const jws of texts) if (!opened.has(jws)) opened.set(jws, await openKnown(jws, rootKey));
		const known = texts.flatMap((jws) => opened.get(jws) ?? []);
		return known.sort((a, b) => compareVersions(b.release.version, a.release.version));
	};
	return {
		list,
		find: async (version, arch) => {
			const all = await list();
			return all.find(({ release }) => release.version === version && release.arch === arch);
		},
		file: async (sha256) => {
			const known = (await list()).find(({ release }) => release.sha256 === sha256);
			if (known === undefined) return undefined;
			const path = join(folder, `${sha256}.deb`);
			const found = await stat(path).catch(() => undefined);
			return found?.size === known.release.bytes ? { path, bytes: found.size } : undefined;
		},
	};
}

/**
 * Keeps a package and its release for the gates to fetch, checked and durable. Throws `release_invalid` and
 * `package_invalid`, and then nothing is kept.
 */
export async function addRelease(
	dir: string,
	{ deb, jws, rootKey }: { readonly deb: string; readonly jws: string; readonly rootKey: JWK },
): Promise<Release> {
	const release = await openRelease(jws, rootKey);
	const folder = join(dir, folderName);
	await makePrivateFolder(folder);
	const { sha256 } = release;
	await copyPackage(deb, join(folder, `${sha256}.deb`), release);
	// The release last: from here on the package is there, and whole.
	await writeDurably(join(folder, `${sha256}${ending}`), `${jws.trim()}\n`, publicMode);
	return release;
}

async function textsOf(folder: string): Promise<readonly string[]> {
	const names = await readdir(folder).catch(noFolder);
	const texts = await Promise.all(
		names.filter((name) => name.endsWith(ending)).map((name) => readIfThere(join(folder, name))),
	);
	return texts.flatMap((text) => text?.trim() ?? []);
}

function noFolder(error: NodeJS.ErrnoException): string[] {
	if (error.code === 'ENOENT') return [];
	throw error;
}

async function openKnown(jws: string, rootKey: JWK): Promise<KnownRelease | undefined> {
	try {
		return { release: await openRelease(jws, rootKey), jws };
	} catch (error) {
		if (error instanceof StilewardError) return undefined;
		throw error;
	}
}
