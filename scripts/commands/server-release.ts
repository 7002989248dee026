import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { Release } from '../../gate-agent/core/release.ts';
import { keyFiles, readKeyJson } from '../../gate-agent/keys/key-files.ts';
import { readEnrollment } from '../../sync/server/hub/enrollment.ts';
import { addRelease, openReleases } from '../../sync/server/releases/release-folder.ts';
import { jsonLine, type Terminal, table } from './output.ts';

/** The options of `server release`. */
export interface ServerReleaseOptions {
	readonly data: string;
	readonly deb?: string;
	readonly release?: string;
	readonly json?: true;
}

/** Keeps a package for the gates, or lists what is kept. Throws `release_invalid`, `package_invalid` and `keys_*`. */
export async function keepRelease(
	{ data, deb, release, json }: ServerReleaseOptions,
	terminal: Terminal,
): Promise<void> {
	const rootKey = await rootKeyOf(data);
	if (deb === undefined) return listReleases({ data, rootKey, json: json === true }, terminal);
	if (release === undefined)
		throw new StilewardError('usage', 'name the release of the package as well: --release FILE');
	const kept = await addRelease(data, { deb, jws: await readText(release), rootKey });
	const { out } = terminal;
	await out.write(json ? jsonLine(kept) : `version ${kept.version} for ${kept.arch} is there for the gates\n`);
}

/** A centre has the key beside its issuer keys, a hub has it from its centre. */
async function rootKeyOf(data: string): Promise<JWK> {
	const hub = await readEnrollment(data);
	if (hub !== undefined) return hub.rootKey;
	return (await readKeyJson(join(data, 'keys'), keyFiles.rootPublic)) as JWK;
}

interface Listing {
	readonly data: string;
	readonly rootKey: JWK;
	readonly json: boolean;
}

async function listReleases({ data, rootKey, json }: Listing, { out }: Terminal): Promise<void> {
	const releases = (await openReleases(data, rootKey).list()).map(({ release }) => release);
	if (json) for (const each of releases) await out.write(jsonLine(each));
	else await out.write(table([['version', 'for', 'MB', 'signed'], ...releases.map(rowOf)]));
}

function rowOf({ version, arch, bytes, issuedAt }: Release): string[] {
	return [version, arch, (bytes / 1e6).toFixed(1), new Date(issuedAt * 1_000).toISOString().slice(0, 10)];
}

async function readText(path: string): Promise<string> {
	try {
		return await readFile(path, 'utf8');
	} catch (cause) {
		throw new StilewardError('release_invalid', `${path} cannot be read`, { cause });
	}
}
