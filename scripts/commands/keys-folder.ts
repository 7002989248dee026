import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { JWK } from 'jose';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { kidOf } from '../../gate-agent/core/jwk.ts';
import type { ManifestKey } from '../../gate-agent/core/key-manifest.ts';
import { keyFiles, readKeyJson } from '../../gate-agent/keys/key-files.ts';
import { initKeys, loadIssuer, loadTrust, resetClock, rotateKeys } from '../../gate-agent/keys/key-folder.ts';
import { leaseRange, makeIssuerKey } from '../../gate-agent/keys/leased-range.ts';
import { facts, jsonLine, paint, type Terminal, table } from './output.ts';
import { type GivenTime, localTime } from './times.ts';

/** The options of every command about keys. */
export interface KeysOptions {
	readonly dir: string;
	readonly json?: true;
}

/** The options of `keys init`. */
export interface KeysInitOptions extends KeysOptions {
	readonly event?: string;
}

/** The options of `keys rotate`. */
export interface KeysRotateOptions extends KeysOptions {
	readonly revoke?: readonly string[];
}

/** The options of `keys lease`. */
export interface KeysLeaseOptions extends KeysOptions {
	readonly event: string;
	readonly from: number;
	readonly to: number;
	readonly key: string;
	readonly until?: GivenTime;
}

/** Makes a new key folder and shows it. */
export async function initFolder({ dir, event, json }: KeysInitOptions, terminal: Terminal): Promise<void> {
	const { kid } = await initKeys({ dir, nowMs: terminal.nowMs(), ...(event !== undefined && { evt: event }) });
	await printFolder({ dir, ...(json && { json }) }, terminal, kid);
	await terminal.err.write(`note: copy ${keyFiles.manifest} and ${keyFiles.rootPublic} to the gates, nothing else\n`);
}

/** Makes the next issuer key and shows the folder. */
export async function rotateFolder({ dir, revoke, json }: KeysRotateOptions, terminal: Terminal): Promise<void> {
	const { kid } = await rotateKeys({ dir, nowMs: terminal.nowMs(), ...(revoke && { revoke }) });
	await printFolder({ dir, ...(json && { json }) }, terminal, kid);
	await terminal.err.write(
		`note: copy the new ${keyFiles.manifest} to the gates; until then they refuse the new key\n`,
	);
}

/** Makes the key of a ticket window, without a root and without a manifest. */
export async function makeIssuer({ dir, json }: KeysOptions, { out, err }: Terminal): Promise<void> {
	const kid = await makeIssuerKey(dir);
	const key = join(dir, keyFiles.issuerPublic(kid));
	await out.write(json ? jsonLine({ dir, kid, key }) : `${key}\n`);
	await err.write(`note: take this file to the root key (\`keys lease --key\`), and nothing else of the folder\n`);
}

/** Lets a ticket window sign the numbers that were leased to it, and shows the folder. */
export async function leaseNumbers(options: KeysLeaseOptions, terminal: Terminal): Promise<void> {
	const { dir, event, from, to, key: file, until, json } = options;
	const key = await readPublicKey(file);
	const exp = until?.seconds;
	const lease = { dir, evt: event, from, to, key, nowMs: terminal.nowMs(), ...(exp !== undefined && { exp }) };
	const { kid } = await leaseRange(lease);
	await printFolder({ dir, ...(json && { json }) }, terminal, kid);
	const files = `${keyFiles.manifest} and ${keyFiles.rootPublic}`;
	await terminal.err.write(`note: restart the server, so that gates hear of it; copy ${files} to the window\n`);
}

async function readPublicKey(file: string): Promise<JWK> {
	const key = await readKeyJson(dirname(file), basename(file));
	// What it holds is checked when its kid is made; a private part has no business here.
	if ('d' in key) throw new StilewardError('keys_invalid', `${file} holds a private key: bring the public one`);
	return key as JWK;
}

/** Signs a clock reset and shows what it says. */
export async function resetFolderClock({ dir, json }: KeysOptions, terminal: Terminal): Promise<void> {
	const { epoch, floorMs } = await resetClock({ dir, nowMs: terminal.nowMs() });
	const { out, err } = terminal;
	if (json) await out.write(jsonLine({ dir, epoch, floor: new Date(floorMs).toISOString() }));
	else {
		await out.write(
			facts(out, [
				['file', join(dir, keyFiles.clockReset)],
				['clock epoch', paint(out, 'bold', `${epoch}`)],
				['not before', localTime(Math.floor(floorMs / 1000))],
			]),
		);
	}
	await err.write(
		`note: set the clock of the gate, copy ${keyFiles.clockReset} into its key folder and restart the gate\n`,
	);
}

/** Shows a key folder, a gate's as well as an issuer's. */
export async function showFolder(options: KeysOptions, terminal: Terminal): Promise<void> {
	await printFolder(options, terminal);
}

async function printFolder({ dir, json }: KeysOptions, terminal: Terminal, kid?: string): Promise<void> {
	const { manifest } = await loadTrust(dir);
	const { warnings } = await loadIssuer(dir);
	// `loadTrust` has just read and checked the same file.
	const root = await kidOf(JSON.parse(await readFile(join(dir, keyFiles.rootPublic), 'utf8')) as JWK);
	const keys = manifest.keys.map((key) => ({ ...key, revoked: manifest.revoked.includes(key.kid) }));
	for (const warning of warnings) await terminal.err.write(`note: ${warning}\n`);
	if (json) {
		const listed = keys.map(({ jwk: _, ...key }) => key);
		await terminal.out.write(
			jsonLine({ dir, root, version: manifest.version, ...(kid && { kid }), keys: listed, warnings }),
		);
		return;
	}
	const { out } = terminal;
	await out.write(
		facts(out, [
			['folder', dir],
			['root key', root],
			['manifest', `version ${manifest.version}, signed ${localTime(manifest.issuedAt)}`],
			['new key', kid && paint(out, 'bold', kid)],
		]),
	);
	await out.write(`\n${table([['kid', 'alg', 'event', 'numbers', 'state'], ...keys.map(keyCells)])}`);
}

function keyCells(key: ManifestKey & { readonly revoked: boolean }): readonly string[] {
	return [key.kid, key.alg, key.evt ?? 'any', `${key.from}-${key.to}`, key.revoked ? 'revoked' : 'valid'];
}
